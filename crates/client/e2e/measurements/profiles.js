// Slow networks and processors, as Chromium emulates them. The figures of the networks are those of the presets in Chromium's DevTools
// (front_end/core/sdk/NetworkManager.ts): the bandwidth of the name, less a tenth, and its round trip times a factor, because the
// emulation delays each request once, and a real connection makes several round trips before the first. "Slow 4G" with a processor four
// times slower is also what Lighthouse applies (core/config/constants.js, mobileSlow4G).
const network = (megabits, uplink, latency) => ({
  offline: false,
  latency,
  downloadThroughput: ((megabits * 1e6) / 8) * 0.9,
  uploadThroughput: ((uplink * 1e6) / 8) * 0.9,
});

/** `goal`: within how many milliseconds the form should be usable. */
export const PROFILES = [
  { name: "fast 4G", network: network(9, 1.5, 60 * 2.75), slowdown: 1, goal: 1_000 },
  { name: "slow 4G, processor 4 times slower", network: network(1.6, 0.75, 150 * 3.75), slowdown: 4, goal: 2_000 },
];
