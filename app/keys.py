"""Names that pages and tests share: page addresses, query parameters, widget keys."""

from typing import Final

# Pages, as in /products
OVERVIEW: Final = "overview"
PRODUCTS: Final = "products"
PRODUCT: Final = "product"
ADD: Final = "add"
HEALTH: Final = "health"

# What an address may carry, as in /products?market=DE&search=kettle or /product?…&days=90
MARKET: Final = "market"  # the filter of lists; a product is named by its "marketplace"
ASIN: Final = "asin"
DAYS: Final = "days"
SEARCH: Final = "search"
STATE: Final = "state"
TAG: Final = "tag"
SORT: Final = "sort"
PAGE: Final = "page"

# Widgets
RANK_CHART: Final = "price_and_rank"
RATING_CHART: Final = "rating_and_count"
PERIOD: Final = "period"
SNAPSHOT_TABLE: Final = "snapshots"
PRODUCT_TABLE: Final = "product_table"
REFRESH: Final = "refresh"
FOLLOW: Final = "follow"
CLEAR: Final = "clear_filters"
