"use strict";
(async () => {
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
  const body = document.getElementById("rows"), more = document.getElementById("more"), count = document.getElementById("count");
  const search = document.getElementById("search"), severity = document.getElementById("severity"), state = document.getElementById("state"), check = document.getElementById("check");
  const blocks = [...document.querySelectorAll("script.block")];
  const open = async (block) => {
    if (block.type === "application/json") return JSON.parse(block.textContent);
    const text = atob(block.textContent), bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  let all;
  try { all = await open(blocks[0]); } catch {
    count.textContent = "This browser cannot unpack the findings; findings.csv has the same rows.";
    return;
  }
  const PAGE = 100, BLOCK = 1000, size = all.id.length, details = [];
  let shown = PAGE, found = all.id.map((_, ix) => ix), words = null;
  const make = (name, text, cls) => {
    const element = document.createElement(name);
    if (text !== undefined && text !== null) element.textContent = text;
    if (cls) element.className = cls;
    return element;
  };
  const number = (value) => value.toLocaleString("en");
  const live = new Set(["new", "open", "regressed"]);
  for (const id of [...new Set(all.check)].sort()) check.append(new Option(id, id));
  const drawer = async (ix) => {
    const at = Math.floor(ix / BLOCK);
    details[at] ??= open(blocks[at + 1]);
    const row = (await details[at])[ix % BLOCK];
    const box = make("div", null, "drawer"), list = make("dl");
    const say = (name, value) => { if (value && value.length) list.append(make("dt", name), make("dd", value)); };
    say("Finding", all.id[ix]); say("What to do", row.remedy); say("To act", row.route); say("Owner", row.owner);
    say("Record", row.record); say("To revoke", row.revoke); say("First seen", row.first); say("Due", all.due[ix]);
    for (const place of row.places) say("Where", place);
    for (const [label, value, source] of row.evidence) say(label, source ? `${value}  (${source})` : value);
    say("Frameworks", row.frameworks.join(", "));
    box.append(list);
    return box;
  };
  const line = (ix) => {
    const tr = make("tr"), first = make("td"), title = make("td"), button = make("button", all.title[ix], "row");
    tr.id = all.id[ix];
    first.append(make("span", all.severity[ix], `sev ${all.severity[ix]}`));
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", async () => {
      const is = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!is));
      title.querySelector(".drawer")?.remove();
      if (is) return;
      const box = await drawer(ix);
      if (button.getAttribute("aria-expanded") === "true") title.append(box);
    });
    title.append(button);
    const due = make("td", all.due[ix].slice(0, 10), all.late[ix] ? "nowrap bad" : "nowrap");
    tr.append(first, make("td", all.check[ix], "nowrap"), title, make("td", all.who[ix] || "nobody"), make("td", all.state[ix].replace("_", " "), "nowrap"), due);
    return tr;
  };
  const say = () => {
    count.textContent = `${number(Math.min(shown, found.length))} of ${number(found.length)} findings shown${found.length < size ? `, ${number(size)} in all` : ""}`;
    more.hidden = shown >= found.length;
  };
  const draw = () => { body.replaceChildren(...found.slice(0, shown).map(line)); say(); };
  const filter = () => {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (asked.length) words ??= all.id.map((id, ix) => `${id} ${all.check[ix]} ${all.title[ix]} ${all.who[ix]} ${all.state[ix]} ${all.more[ix]}`.toLowerCase());
    found = [];
    for (let ix = 0; ix < size; ix++) {
      if ((!severity.value || all.severity[ix] === severity.value)
        && (!state.value || (state.value === "all-open" ? live.has(all.state[ix]) : state.value === "late" ? all.late[ix] : all.state[ix] === state.value))
        && (!check.value || all.check[ix] === check.value) && asked.every((word) => words[ix].includes(word))) found.push(ix);
    }
    shown = PAGE;
    draw();
  };
  for (const one of [severity, state, check]) one.addEventListener("input", filter);
  let waiting;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  more.addEventListener("click", () => {
    const next = found.slice(shown, shown + PAGE).map(line);
    body.append(...next);
    shown += PAGE;
    say();
    next[0]?.querySelector("button").focus();
  });
  const go = async () => {
    const target = location.hash.slice(1);
    if (!/^KM-/.test(target)) return;
    search.value = target; severity.value = ""; check.value = ""; state.value = ""; filter();
    const button = body.querySelector("button.row");
    if (button) { button.click(); button.focus(); }
  };
  filter();
  addEventListener("hashchange", go);
  go();
  document.documentElement.dataset.ready = "yes";
})();
