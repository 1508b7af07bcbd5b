/** Loaded before the agent (node --import): its wall clock says that the router was switched on in 1970, a minute ago. */
const startedMs = performance.now();
Date.now = () => Math.round(60_000 + performance.now() - startedMs);
