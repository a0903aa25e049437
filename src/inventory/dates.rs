//! Dates as registers write them. Whether `03/04/2025` is in March or in April is decided per
//! column by the column's own values, or by the mapping, or refused: never guessed.

use std::sync::LazyLock;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, date},
    tz::TimeZone,
};
use regex::{Captures, Regex};

use super::text::fold;

/// The order of day, month and year in numeric dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year first; others are no dates.
    Ymd,
}

impl DateOrder {
    /// From `dmy`, `mdy` or `ymd`.
    pub fn from_word(word: &str) -> Option<DateOrder> {
        match word {
            "dmy" => Some(DateOrder::Dmy),
            "mdy" => Some(DateOrder::Mdy),
            "ymd" => Some(DateOrder::Ymd),
            _ => None,
        }
    }
}

/// What a date without a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayIs {
    /// The start of that day, UTC: things that happened.
    Start,
    /// The last second of that day, UTC: things that end.
    End,
}

/// A date, and the time where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    day: Date,
    /// Time of day, and seconds east of UTC.
    clock: Option<(Time, i64)>,
}

impl Moment {
    /// The point in time; `None` where it is too far away to be one.
    pub(crate) fn at(self, day_is: DayIs) -> Option<Timestamp> {
        let (time, east) = self.clock.unwrap_or_else(|| match day_is {
            DayIs::Start => (Time::midnight(), 0),
            DayIs::End => (Time::constant(23, 59, 59, 0), 0),
        });
        let here = TimeZone::UTC
            .to_timestamp(self.day.to_datetime(time))
            .ok()?;
        here.checked_sub(SignedDuration::from_secs(east)).ok()
    }

    /// Whether it stands for "never", as `9999-12-31` does.
    pub(crate) fn is_never(self) -> bool {
        self.day.year() >= 2900
    }
}

/// One cell, before its column is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Can be read in one way.
    Plain(Moment),
    /// Two numbers of at most two digits, then the year.
    Numeric {
        first: i8,
        second: i8,
        year: i16,
        clock: Option<(Time, i64)>,
        dotted: bool,
    },
    /// The year has two digits.
    ShortYear,
    /// No date.
    Other,
}

/// Why a column of dates cannot be read. The rows with their values, which are dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No value decides between day first and month first.
    Undecided(Vec<(u64, String)>),
    /// One value is day first, another month first.
    Contradiction([(u64, String); 2]),
    /// A year of two digits.
    ShortYear(u64, String),
}

/// Reads a column: for each value (with its row) its moment, or `None` where it is no date.
///
/// # Errors
/// When the order of day and month stays open, or years have two digits.
pub(crate) fn column(
    values: &[(u64, &str)],
    order: Option<DateOrder>,
) -> Result<Vec<Option<Moment>>, Refusal> {
    let readings: Vec<Reading> = values.iter().map(|(_, text)| look(text)).collect();
    let example = |i: usize| (values[i].0, values[i].1.to_owned());
    if let Some(i) = readings.iter().position(|r| *r == Reading::ShortYear) {
        let (row, text) = example(i);
        return Err(Refusal::ShortYear(row, text));
    }
    let order = match order {
        Some(order) => Orders {
            dotted: order,
            other: order,
        },
        None => decide(&readings, example)?,
    };
    Ok(readings.into_iter().map(|r| order.moment(r)).collect())
}

/// Dots mean day first everywhere; slashes and dashes mean what the column says.
struct Orders {
    dotted: DateOrder,
    other: DateOrder,
}

impl Orders {
    fn moment(&self, reading: Reading) -> Option<Moment> {
        let (first, second, year, clock, dotted) = match reading {
            Reading::Plain(moment) => return Some(moment),
            Reading::ShortYear | Reading::Other => return None,
            Reading::Numeric {
                first,
                second,
                year,
                clock,
                dotted,
            } => (first, second, year, clock, dotted),
        };
        let order = if dotted { self.dotted } else { self.other };
        let (month, day) = match order {
            DateOrder::Dmy => (second, first),
            DateOrder::Mdy => (first, second),
            DateOrder::Ymd => return None,
        };
        let day = Date::new(year, month, day).ok()?;
        Some(Moment { day, clock })
    }
}

fn decide(
    readings: &[Reading],
    example: impl Fn(usize) -> (u64, String),
) -> Result<Orders, Refusal> {
    let (mut day_first, mut month_first, mut dotted_first) = (None, None, None);
    let mut open = Vec::new();
    for (i, reading) in readings.iter().enumerate() {
        let Reading::Numeric {
            first,
            second,
            dotted,
            ..
        } = *reading
        else {
            continue;
        };
        if dotted && first != second && second <= 12 {
            // What dots say they say for dots; still they contradict a month first.
            dotted_first = dotted_first.or(Some(i));
        } else if first > 12 {
            day_first = day_first.or(Some(i));
        } else if second > 12 {
            month_first = month_first.or(Some(i));
        } else if first != second {
            open.push(i);
        }
    }
    let other = match (day_first.or(dotted_first), month_first) {
        (Some(a), Some(b)) => return Err(Refusal::Contradiction([example(a), example(b)])),
        (_, None) if day_first.is_some() => DateOrder::Dmy,
        (_, Some(_)) => DateOrder::Mdy,
        (_, None) if open.is_empty() => DateOrder::Dmy,
        _ => {
            let examples = open.into_iter().take(2).map(example);
            return Err(Refusal::Undecided(examples.collect()));
        }
    };
    Ok(Orders {
        dotted: DateOrder::Dmy,
        other,
    })
}

/// Whether a text has the shape of a date, in whatever order.
pub(crate) fn looks_like_date(text: &str) -> bool {
    look(text) != Reading::Other
}

/// Regular expressions over folded text; they are literals, so they compile.
struct Shapes {
    clock: Regex,
    year_first: Regex,
    compact: Regex,
    numeric: Regex,
    day_month_word: Regex,
    month_word_day: Regex,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let regex = |pattern| Regex::new(pattern).expect("literal patterns compile");
    Shapes {
        clock: regex(
            r"^(?<date>.*?)[t ,]+(?<h>\d{1,2}):(?<m>\d{2})(?::(?<s>\d{2})(?:[.,]\d{1,9})?)? ?(?<half>am|pm|a\.m\.|p\.m\.)? ?(?<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?$",
        ),
        year_first: regex(r"^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})\.?$"),
        compact: regex(r"^((?:19|20|21)\d{2})(\d{2})(\d{2})$"),
        numeric: regex(r"^(\d{1,2})([-/.]) ?(\d{1,2})([-/.]) ?(\d{4}|\d{2})$"),
        day_month_word: regex(
            r"^(?:[a-z]+,? )?(\d{1,2})(?:st|nd|rd|th|er)?\.?[ /-]*(?:de |of )?([a-z]{3,10})\.?[ ,/-]+(?:de )?(\d{4}|\d{2})$",
        ),
        month_word_day: regex(r"^([a-z]{3,10})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}|\d{2})$"),
    }
});

fn look(text: &str) -> Reading {
    if text.len() > 48 || !text.bytes().any(|b| b.is_ascii_digit()) {
        return Reading::Other;
    }
    let folded = fold(text);
    let shapes = &*SHAPES;
    let (day, clock) = match shapes.clock.captures(&folded) {
        Some(found) => match clock(&found) {
            Some(clock) => (found.name("date").map_or("", |m| m.as_str()), Some(clock)),
            None => return Reading::Other,
        },
        None => (folded.as_str(), None),
    };
    let number =
        |found: &Captures<'_>, group: usize| -> i16 { found[group].parse().unwrap_or_default() };
    let plain = |year: i16, month: i16, day: i16| {
        let date = Date::new(year, month as i8, day as i8);
        date.map_or(Reading::Other, |day| Reading::Plain(Moment { day, clock }))
    };
    if let Some(found) = shapes.year_first.captures(day) {
        if found[2] != found[4] {
            return Reading::Other;
        }
        return plain(number(&found, 1), number(&found, 3), number(&found, 5));
    }
    if let Some(found) = shapes.compact.captures(day) {
        return plain(number(&found, 1), number(&found, 2), number(&found, 3));
    }
    if let Some(found) = shapes.numeric.captures(day) {
        let (first, second) = (number(&found, 1) as i8, number(&found, 3) as i8);
        let possible = |month: i8, day: i8| date_exists(month, day);
        if found[2] != found[4] || !(possible(first, second) || possible(second, first)) {
            return Reading::Other;
        }
        if found[5].len() == 2 {
            return Reading::ShortYear;
        }
        return Reading::Numeric {
            first,
            second,
            year: number(&found, 5),
            clock,
            dotted: &found[2] == ".",
        };
    }
    let (found, day_group, month_group) = match shapes.day_month_word.captures(day) {
        Some(found) => (found, 1, 2),
        None => match shapes.month_word_day.captures(day) {
            Some(found) => (found, 2, 1),
            None => return Reading::Other,
        },
    };
    let Some(month) = month(&found[month_group]) else {
        return Reading::Other;
    };
    if found[3].len() == 2 {
        return Reading::ShortYear;
    }
    plain(number(&found, 3), month, number(&found, day_group))
}

/// Whether a day exists in some year.
fn date_exists(month: i8, day: i8) -> bool {
    (1..=12).contains(&month) && day >= 1 && day <= date(2024, month, 1).days_in_month()
}

/// Time of day and seconds east of UTC.
fn clock(found: &Captures<'_>) -> Option<(Time, i64)> {
    let number = |name| {
        found
            .name(name)
            .map_or(Some(0), |m| m.as_str().parse().ok())
    };
    let mut hour: i8 = number("h")?;
    if let Some(half) = found.name("half") {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12
            + if half.as_str().starts_with('p') {
                12
            } else {
                0
            };
    }
    let time = Time::new(hour, number("m")?, number("s")?, 0).ok()?;
    let zone = found.name("zone").map_or("z", |m| m.as_str());
    let east = match zone.as_bytes() {
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let digits: String = digits
                .iter()
                .map(|&b| char::from(b))
                .filter(|&c| c != ':')
                .collect();
            let (hours, minutes) = digits.split_at_checked(2)?;
            let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => 0,
    };
    Some((time, east))
}

/// The month of a folded name or abbreviation, in the languages of the alias dictionary.
fn month(word: &str) -> Option<i16> {
    const NAMES: [&str; 12] = [
        "january januar janner janvier enero gennaio janeiro januari",
        "february februar feber fevrier febrero febbraio fevereiro februari",
        "march marz maerz mrz mars marzo marco maart mrt",
        "april avril abril aprile",
        "may mai mayo maggio maio mei",
        "june juni juin junio giugno junho",
        "july juli juillet julio luglio julho",
        "august aout agosto augustus",
        "september sept septembre septiembre settembre setembro",
        "october oktober octobre octubre ottobre outubro",
        "november novembre noviembre novembro",
        "december dezember decembre diciembre dicembre dezembro",
    ];
    let is = |names: &str| names.split(' ').any(|name| name.starts_with(word));
    let mut fitting = (0..12).filter(|&i| is(NAMES[i]));
    // `jui` begins two French months; then it is none.
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first as i16 + 1)
}

#[cfg(test)]
mod tests {
    use super::{DateOrder, DayIs, Refusal, column, looks_like_date};

    fn read(text: &str) -> Option<String> {
        let moments = column(&[(2, text)], None).unwrap();
        moments[0]?.at(DayIs::Start).map(|at| at.to_string())
    }

    #[test]
    fn what_can_be_read_in_one_way_is_read() {
        let table = [
            ("2025-03-04", "2025-03-04T00:00:00Z"),
            ("2025/3/4", "2025-03-04T00:00:00Z"),
            ("20250304", "2025-03-04T00:00:00Z"),
            ("2025-03-04T05:06:07Z", "2025-03-04T05:06:07Z"),
            ("2025-03-04T05:06:07.123+02:00", "2025-03-04T03:06:07Z"),
            ("2025-03-04 05:06", "2025-03-04T05:06:00Z"),
            ("2025-03-04 05:06:07 UTC", "2025-03-04T05:06:07Z"),
            ("04.03.2025", "2025-03-04T00:00:00Z"),
            ("4.3.2025 17:05", "2025-03-04T17:05:00Z"),
            ("25/03/2025", "2025-03-25T00:00:00Z"),
            ("3/25/2025 1:05:00 PM", "2025-03-25T13:05:00Z"),
            ("3/25/2025 12:05 AM", "2025-03-25T00:05:00Z"),
            ("04/04/2025", "2025-04-04T00:00:00Z"),
            ("4 March 2025", "2025-03-04T00:00:00Z"),
            ("4. März 2025", "2025-03-04T00:00:00Z"),
            ("04-Mar-2025", "2025-03-04T00:00:00Z"),
            ("March 4th, 2025", "2025-03-04T00:00:00Z"),
            ("1er février 2025", "2025-02-01T00:00:00Z"),
            ("4 de março de 2025", "2025-03-04T00:00:00Z"),
            ("Tuesday, 4 March 2025", "2025-03-04T00:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let table = [
            "",
            "soon",
            "Q3 2025",
            "31.02.2025",
            "2025-13-01",
            "45123",
            "13/13/2025",
            "2025-03-04T25:00",
            "4 Foo 2025",
            "10.0.0.1",
            "1/2.2025",
            "jui 4 2025",
        ];
        for text in table {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(looks_like_date("03/04/2025"));
        assert!(!looks_like_date("v1.2.3"));
    }

    #[test]
    fn a_day_that_ends_something_ends_at_its_end() {
        let moment = column(&[(2, "2025-03-04")], None).unwrap()[0].unwrap();
        assert_eq!(
            moment.at(DayIs::End).unwrap().to_string(),
            "2025-03-04T23:59:59Z"
        );
        let never = column(&[(2, "31.12.9999")], None).unwrap()[0].unwrap();
        assert!(never.is_never());
        assert_eq!(never.at(DayIs::End), None);
    }

    #[test]
    fn one_value_decides_for_its_column() {
        let day = column(&[(2, "03/04/2025"), (3, "25/12/2025")], None).unwrap();
        assert_eq!(
            day[0].unwrap().at(DayIs::Start).unwrap().to_string(),
            "2025-04-03T00:00:00Z"
        );
        let month = column(&[(2, "03-04-2025"), (3, "12/25/2025")], None).unwrap();
        assert_eq!(
            month[0].unwrap().at(DayIs::Start).unwrap().to_string(),
            "2025-03-04T00:00:00Z"
        );
    }

    #[test]
    fn what_nothing_decides_is_refused() {
        let undecided = column(&[(2, "x"), (3, "03/04/2025"), (9, "05/06/2025")], None);
        let rows = vec![(3, "03/04/2025".to_owned()), (9, "05/06/2025".to_owned())];
        assert_eq!(undecided, Err(Refusal::Undecided(rows)));
        // Dots decide for dots, not for slashes beside them.
        assert!(matches!(
            column(&[(2, "25.12.2025"), (3, "03/04/2025")], None),
            Err(Refusal::Undecided(_))
        ));
    }

    #[test]
    fn contradictions_and_short_years_are_refused() {
        let table: [&[(u64, &str)]; 3] = [
            &[(2, "25/12/2025"), (3, "12/25/2025")],
            &[(2, "03.04.2025"), (3, "12/25/2025")],
            &[(2, "03.04.2025"), (3, "12.25.2025")],
        ];
        for values in table {
            assert!(
                matches!(column(values, None), Err(Refusal::Contradiction(_))),
                "{values:?}"
            );
        }
        for text in ["03/04/25", "03.04.25", "4-Mar-25"] {
            let refused = column(&[(7, text)], Some(DateOrder::Dmy));
            assert_eq!(refused, Err(Refusal::ShortYear(7, text.to_owned())));
        }
    }

    #[test]
    fn the_mapping_decides_before_the_values() {
        let values = [(2, "03/04/2025"), (3, "25/12/2025"), (4, "2025-01-02")];
        let read = |order| column(&values, Some(order)).unwrap();
        let day = |moment: Option<super::Moment>| {
            moment
                .and_then(|m| m.at(DayIs::Start))
                .map(|at| at.to_string()[..10].to_owned())
        };
        let dmy: Vec<_> = read(DateOrder::Dmy).into_iter().map(day).collect();
        assert_eq!(dmy[0].as_deref(), Some("2025-04-03"));
        let mdy: Vec<_> = read(DateOrder::Mdy).into_iter().map(day).collect();
        assert_eq!(mdy[0].as_deref(), Some("2025-03-04"));
        assert_eq!(mdy[1], None, "no twenty-fifth month");
        let ymd: Vec<_> = read(DateOrder::Ymd).into_iter().map(day).collect();
        assert_eq!([&ymd[0], &ymd[1]], [&None, &None]);
        assert_eq!(ymd[2].as_deref(), Some("2025-01-02"));
    }
}
