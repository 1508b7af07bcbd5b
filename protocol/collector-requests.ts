/**
 * All that a router ever asks a collector, by method and path. Whoever adds one has its every byte searched for what could
 * identify a guest: test/agent/proofs/upload-privacy.test.ts fails until it has seen each of them sent.
 */
export const COLLECTOR_REQUESTS = [
  'POST /v1/proofs',
  'GET /v1/devices/:device/head',
  'POST /v1/clock',
  'POST /v1/clock-corrections',
  'POST /v1/offers',
  'POST /v1/bindings',
  'POST /v1/enrolments/challenge',
  'POST /v1/enrolments',
  'POST /v1/rotations',
] as const;

/** ":device" stands for the router's address. */
export type CollectorRequestLine = (typeof COLLECTOR_REQUESTS)[number];

/** The paths that something is posted to. */
export type CollectorPost = CollectorRequestLine extends infer Line
  ? Line extends `POST ${infer Path}`
    ? Path
    : never
  : never;
