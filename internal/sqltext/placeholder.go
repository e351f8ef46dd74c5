package sqltext

// TablePlaceholder is the placeholder for the table's name in a hook's SQL.
const TablePlaceholder = "{{table}}"
