"""What the router itself costs, which is part of all its costs (paper section 5.1.4)."""

from prefillroute.routing.statistics.contract import RouterStatistic

ROUTER_COST = RouterStatistic(key="router_cost", compute=lambda view: view.router_cost, place=115)
"""Mean USD per query of reading it; 0 where nothing is counted."""
