# @summary A time as kick reads it: `90s`, `10m`, `1h30m`, or a number of seconds
type Kick::Duration = Variant[
  Integer[0, 999999999],
  Pattern[/\A(\d{1,9}|(\d{1,9}(\.\d{1,3})?(ms|s|m|h|d))+)\z/]
]
