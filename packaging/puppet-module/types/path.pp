# @summary An absolute path
type Kick::Path = Pattern[/\A\/[^\s]*\z/]
