//! Sizes, shares and numbers of processors, as people write them.

use super::parsed;
use serde::{Deserialize, Deserializer};
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(Amount::Bytes(bytes)) if bytes > 0 => Ok(Self(bytes)),
            _ => Err(format!("`{text}` is not a size, such as 2GB or 512MiB")),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// A number of processors, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpus(pub u32);

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let millis = (number * 1000.0).round();
        if (10.0..=1_000_000.0).contains(&millis) {
            Ok(Self(millis as u32))
        } else {
            let text = format!("`{number}` is not a number of processors from 0.01 to 1000");
            Err(serde::de::Error::custom(text))
        }
    }
}

/// A number of bytes, or a share of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Bytes.
    Bytes(u64),
    /// Percent of the disk the store is on, 0 to 100.
    Percent(u8),
}

impl Amount {
    /// Bytes on a disk of `disk` bytes.
    #[must_use]
    pub fn of(self, disk: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => disk / 100 * u64::from(percent),
        }
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a size, such as 20GB, 512MiB or 75%");
        if let Some(percent) = text.strip_suffix('%') {
            let percent: u8 = percent.trim().parse().map_err(|_| refuse())?;
            return if percent <= 100 {
                Ok(Self::Percent(percent))
            } else {
                Err(refuse())
            };
        }
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let number: u64 = text[..split].parse().map_err(|_| refuse())?;
        let unit: u64 = match text[split..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "t" | "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(refuse()),
        };
        number.checked_mul(unit).map(Self::Bytes).ok_or_else(refuse)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}
