package sqltext

// TablePlaceholder is what stands for the table in a step's SQL.
const TablePlaceholder = "{{table}}"
