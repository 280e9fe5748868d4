"""Names that pages and tests share: page names, URL parameters, widget keys."""

from typing import Final

# Pages, as in /products
OVERVIEW: Final = "overview"
PRODUCTS: Final = "products"
PRODUCT: Final = "product"
SUGGESTIONS: Final = "suggestions"
SUGGESTION: Final = "suggestion"
ALERTS: Final = "alerts"
REPORTS: Final = "reports"
ALERT_RULES: Final = "alert_rules"
ADD: Final = "add"
HEALTH: Final = "health"
PROFILE: Final = "profile"
ADMIN: Final = "admin"
AUDIT: Final = "audit"
AGENTS: Final = "agents"
CONNECTIONS: Final = "connections"
NOTIFICATIONS: Final = "notifications"

# URL parameters, as in /products?market=DE&search=kettle or /product?…&days=90
MARKET: Final = "market"  # the filter of lists
# Of one product: a parameter that is bound to a filter can't be another page's.
MARKETPLACE: Final = "marketplace"
ASIN: Final = "asin"
DAYS: Final = "days"
FROM: Final = "from"
TO: Final = "to"
SERIES: Final = "series"
COMPARE: Final = "compare"
TAB: Final = "show"
DATA_SOURCE: Final = "Data source"  # a value of TAB
SEARCH: Final = "search"
STATE: Final = "state"
TAG: Final = "tag"
IMPORT: Final = "import"  # only what this import added
SORT: Final = "sort"
NEWEST_CHECKED: Final = "Last checked, newest first"  # a value of SORT
PAGE: Final = "page"

# As in /?period=7+d&place=DE&whose=Own+products
OVERVIEW_PERIOD: Final = "period"
OVERVIEW_MARKET: Final = "place"
OVERVIEW_ROLE: Final = "whose"
OVERVIEW_MOVED: Final = "moved"

# As in /suggestions?status=Pending&kind=Content or /suggestion?id=12
STATUS: Final = "status"
KIND: Final = "kind"
PRIORITY: Final = "priority"
ADVISOR: Final = "advisor"
ABOUT: Final = "about"
QUEUE_PAGE: Final = "queue_page"
ID: Final = "id"

# As in /alerts?view=History&within=90+d&severity=Critical&alert=17
ALERT_VIEW: Final = "view"
ALERT_PERIOD: Final = "within"
SEVERITY: Final = "severity"
ALERT_ROLE: Final = "alert_role"
ALERT_MARKET: Final = "alert_market"
ALERT_KIND: Final = "alert_kind"
HANDLING: Final = "handling"
ALERT_PAGE: Final = "alert_page"
ALERT: Final = "alert"  # the open one

# As in /alert_rules?rule=12 or /alert_rules?rule=new
RULE: Final = "rule"


# As in /reports?report=12
REPORT: Final = "report"

# Widgets
HEAT_MAP: Final = "heat_map"
RANK_CHART: Final = "price_and_rank"
EVIDENCE_CHART: Final = "evidence"
QUEUE_TABLE: Final = "queue_table"
ALERT_TABLE: Final = "alert_table"
PERIOD: Final = "chart_period"
SNAPSHOT_TABLE: Final = "snapshots"
SUMMARY_TABLE: Final = "summary_table"
PRODUCT_TABLE: Final = "product_table"
CHECK_NOW: Final = "refresh"
TRACK: Final = "follow"
CLEAR: Final = "clear_filters"
