"use strict";
(() => {
  const rows = JSON.parse(document.getElementById("data").textContent);
  const body = document.getElementById("rows"), more = document.getElementById("more"), count = document.getElementById("count");
  const search = document.getElementById("search"), severity = document.getElementById("severity"), state = document.getElementById("state"), check = document.getElementById("check");
  const PAGE = 100;
  let shown = PAGE, found = rows;
  const make = (name, text, cls) => {
    const element = document.createElement(name);
    if (text !== undefined && text !== null) element.textContent = text;
    if (cls) element.className = cls;
    return element;
  };
  const open = ["new", "open", "regressed"];
  for (const row of rows) row.all = Object.values(row).flat(3).join(" ").toLowerCase();
  for (const id of [...new Set(rows.map((row) => row.check))].sort()) check.append(new Option(id, id));
  const drawer = (row) => {
    const box = make("div", null, "drawer"), list = make("dl");
    const say = (name, value) => { if (value && value.length) { list.append(make("dt", name), make("dd", value)); } };
    say("Finding", row.id); say("What to do", row.remedy); say("To act", row.route); say("Owner", row.owner);
    say("Record", row.record); say("First seen", row.first); say("Due", row.due);
    for (const place of row.places) say("Where", place);
    for (const [label, value, source] of row.evidence) say(label, source ? `${value}  (${source})` : value);
    say("Frameworks", row.frameworks.join(", "));
    box.append(list);
    return box;
  };
  const line = (row) => {
    const tr = make("tr"), first = make("td"), title = make("td"), button = make("button", row.title, "row");
    tr.id = row.id;
    first.append(make("span", row.severity, `sev ${row.severity}`));
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const is = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!is));
      if (is) title.lastChild.remove(); else title.append(drawer(row));
    });
    title.append(button);
    tr.append(first, make("td", row.check, "nowrap"), title, make("td", row.owner || row.route || "nobody"), make("td", row.state, "nowrap"), make("td", row.due ? row.due.slice(0, 10) : "", "nowrap"));
    return tr;
  };
  const draw = () => {
    body.replaceChildren(...found.slice(0, shown).map(line));
    count.textContent = `${Math.min(shown, found.length)} of ${found.length} findings shown`;
    more.hidden = shown >= found.length;
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = rows.filter((row) => (!severity.value || row.severity === severity.value)
      && (!state.value || (state.value === "all-open" ? open.includes(row.state) : row.state === state.value))
      && (!check.value || row.check === check.value) && words.every((word) => row.all.includes(word)));
    shown = PAGE;
    draw();
  };
  for (const one of [search, severity, state, check]) one.addEventListener("input", filter);
  more.addEventListener("click", () => { shown += PAGE; draw(); });
  filter();
  const target = location.hash.slice(1);
  if (/^KM-/.test(target)) {
    search.value = target; state.value = ""; filter();
    const button = body.querySelector("button.row");
    if (button) { button.click(); button.focus(); }
  }
})();
