//! Drawings in SVG: each has a title that says its numbers, and a table beside it.

use super::text;

/// A bar of parts, one after another: class, label, number.
pub(super) fn stacked(title: &str, parts: &[(&str, String, usize)]) -> String {
    let all: usize = parts.iter().map(|part| part.2).sum();
    if all == 0 {
        return String::new();
    }
    let mut out = format!(
        "<svg viewBox=\"0 0 1000 58\" role=\"img\" aria-label=\"{}\">",
        text(title)
    );
    let mut at = 0.0;
    for (class, label, count) in parts.iter().filter(|part| part.2 > 0) {
        let width = *count as f64 * 1000.0 / all as f64;
        out.push_str(&format!(
            "<rect class=\"{class}\" x=\"{at:.1}\" y=\"0\" width=\"{:.1}\" height=\"30\" rx=\"3\"><title>{}: {count}</title></rect>",
            (width - 2.0).max(1.0),
            text(label),
        ));
        if width > 70.0 {
            out.push_str(&format!(
                "<text x=\"{at:.1}\" y=\"50\">{count} {}</text>",
                text(label)
            ));
        }
        at += width;
    }
    out.push_str("</svg>");
    out
}

/// Upright bars.
pub(super) fn histogram(title: &str, bars: &[(String, usize)]) -> String {
    let most = bars.iter().map(|bar| bar.1).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let step = 1000.0 / bars.len() as f64;
    let mut out = format!(
        "<svg viewBox=\"0 0 1000 210\" role=\"img\" aria-label=\"{}\"><line class=\"axis\" x1=\"0\" x2=\"1000\" y1=\"170\" y2=\"170\"/>",
        text(title)
    );
    for (ix, (label, count)) in bars.iter().enumerate() {
        let height = *count as f64 * 140.0 / most as f64;
        let x = step * ix as f64;
        let middle = x + step / 2.0;
        out.push_str(&format!(
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"3\"><title>{}: {count}</title></rect>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}</text>\
             <text class=\"muted\" x=\"{middle:.1}\" y=\"192\" text-anchor=\"middle\">{}</text>",
            x + step * 0.15,
            170.0 - height,
            step * 0.7,
            text(label),
            162.0 - height,
            text(label),
        ));
    }
    out.push_str("</svg>");
    out
}

/// From one total to its parts: class, label, number.
pub(super) fn flow(title: &str, from: &str, parts: &[(&str, &str, u64)]) -> String {
    let all: u64 = parts.iter().map(|part| part.2).sum();
    if all == 0 {
        return String::new();
    }
    let gap = 26.0;
    let room = 220.0 - gap * (parts.len() as f64 - 1.0);
    let mut out = format!(
        "<svg viewBox=\"0 0 1000 250\" role=\"img\" aria-label=\"{}\"><rect class=\"node\" x=\"230\" y=\"15\" width=\"8\" height=\"{room:.1}\"/><text x=\"220\" y=\"{:.1}\" text-anchor=\"end\">{all} {}</text>",
        text(title),
        15.0 + room / 2.0 + 4.0,
        text(from),
    );
    let (mut left, mut right) = (15.0, 15.0);
    for (class, label, count) in parts {
        let height = *count as f64 * room / all as f64;
        if *count > 0 {
            out.push_str(&format!(
                "<path class=\"flow {class}\" d=\"M238,{left:.1} C420,{left:.1} 480,{right:.1} 660,{right:.1} L660,{:.1} C480,{:.1} 420,{:.1} 238,{:.1} Z\"><title>{}: {count}</title></path>",
                right + height,
                right + height,
                left + height,
                left + height,
                text(label),
            ));
        }
        out.push_str(&format!(
            "<rect class=\"node\" x=\"660\" y=\"{right:.1}\" width=\"8\" height=\"{:.1}\"/><text x=\"680\" y=\"{:.1}\">{count} {}</text>",
            height.max(1.0),
            right + height / 2.0 + 4.0,
            text(label),
        ));
        left += height;
        right += height + gap;
    }
    out.push_str("</svg>");
    out
}

/// Stacked areas over time: a point for each run; class, label, numbers.
pub(super) fn areas(title: &str, ends: (&str, &str), parts: &[(&str, &str, Vec<u64>)]) -> String {
    let points = parts.first().map_or(0, |part| part.2.len());
    let total = |at: usize| parts.iter().map(|part| part.2[at]).sum::<u64>();
    let most = (0..points).map(total).max().unwrap_or(0);
    if points < 2 || most == 0 {
        return String::new();
    }
    let x = |at: usize| at as f64 * 1000.0 / (points - 1) as f64;
    let y = |value: u64| 160.0 - value as f64 * 140.0 / most as f64;
    let mut out = format!(
        "<svg class=\"areas\" viewBox=\"0 0 1000 190\" role=\"img\" aria-label=\"{}\">",
        text(title)
    );
    let mut below = vec![0; points];
    for (class, label, values) in parts {
        let mut path = String::new();
        for at in 0..points {
            let word = if at == 0 { 'M' } else { 'L' };
            path.push_str(&format!(
                "{word}{:.1},{:.1} ",
                x(at),
                y(below[at] + values[at])
            ));
        }
        for at in (0..points).rev() {
            path.push_str(&format!("L{:.1},{:.1} ", x(at), y(below[at])));
        }
        out.push_str(&format!(
            "<path class=\"{class}\" d=\"{path}Z\"><title>{}: {} at first, {} at last</title></path>",
            text(label),
            values[0],
            values[points - 1],
        ));
        for (at, value) in values.iter().enumerate() {
            below[at] += value;
        }
    }
    out.push_str(&format!(
        "<line class=\"axis\" x1=\"0\" x2=\"1000\" y1=\"160\" y2=\"160\"/>\
         <text class=\"muted\" x=\"0\" y=\"180\">{}: {}</text>\
         <text class=\"muted\" x=\"1000\" y=\"180\" text-anchor=\"end\">{}: {}</text></svg>",
        text(ends.0),
        total(0),
        text(ends.1),
        total(points - 1),
    ));
    out
}
