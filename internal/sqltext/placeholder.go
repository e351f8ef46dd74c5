package sqltext

// TablePlaceholder is replaced by the name of the table in a hook's SQL.
const TablePlaceholder = "{{table}}"
