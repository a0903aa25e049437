//! The two ordinal grades every part speaks of: how sure, and how bad.

use std::{fmt, str::FromStr};

macro_rules! grade {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every grade, lowest first.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The lower-case word used in files and on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err(format!("'{text}' is none of: {}", [$($text),+].join(", "))),
                }
            }
        }
    };
}

grade! {
    /// How sure the engine is that a sighting is a credential.
    Confidence {
        /// Worth a look by somebody who knows the code.
        Low = "low",
        /// Likely: name, value and place agree.
        Medium = "medium",
        /// Format, checksum or structure prove it.
        High = "high",
    }
}

grade! {
    /// How bad it is if true.
    Severity {
        /// Told for completeness; never fails a run.
        Info = "info",
        /// Mend when convenient.
        Low = "low",
        /// Mend within the normal cycle.
        Medium = "medium",
        /// Mend soon.
        High = "high",
        /// Mend now.
        Critical = "critical",
    }
}

impl Severity {
    /// One step worse, at most critical.
    #[must_use]
    pub fn raised(self) -> Severity {
        Self::ALL[(self as usize + 1).min(Self::ALL.len() - 1)]
    }

    /// One step milder, at least low (information stays information).
    #[must_use]
    pub fn lowered(self) -> Severity {
        match self {
            Severity::Info | Severity::Low => self,
            _ => Self::ALL[self as usize - 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn steps_stay_inside_the_scale() {
        assert_eq!(Severity::Critical.raised(), Severity::Critical);
        assert_eq!(Severity::Low.lowered(), Severity::Low);
        assert_eq!(Severity::High.lowered(), Severity::Medium);
        assert_eq!("high".parse::<Severity>(), Ok(Severity::High));
        assert!("hihg".parse::<Severity>().is_err());
    }
}
