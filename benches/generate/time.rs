//! Times as text. They come from the seed, never from the clock.

/// `2020-11-11T21:33:52.834Z`: the form of every time in a manifest.
///
/// `millis` counts from 1970 on, in UTC.
pub fn iso_millis(millis: u64) -> String {
    let seconds = iso_seconds(millis / 1000);
    format!("{}.{:03}Z", &seconds[..19], millis % 1000)
}

/// `2020-11-11T21:33:52Z`: the form the items use.
pub fn iso_seconds(seconds: u64) -> String {
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of the Gregorian calendar. The years are taken from March to February,
/// so that the leap day is a year's last and months before it need no correction.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days_since_1970 + 719_468; // 0000-03-01 is day 0
    let of_era = days % DAYS_IN_400_YEARS;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = days / DAYS_IN_400_YEARS * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_stand_in_real_manifests() {
        assert_eq!(iso_millis(1_605_130_432_834), "2020-11-11T21:33:52.834Z");
        assert_eq!(iso_millis(1_715_685_260_608), "2024-05-14T11:14:20.608Z");
    }

    #[test]
    fn the_ends_of_months_and_years() {
        assert_eq!(iso_seconds(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso_seconds(1_709_164_800), "2024-02-29T00:00:00Z");
        assert_eq!(iso_seconds(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(iso_seconds(1_709_251_200), "2024-03-01T00:00:00Z");
        assert_eq!(iso_seconds(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(iso_seconds(1_735_689_600), "2025-01-01T00:00:00Z");
    }
}
