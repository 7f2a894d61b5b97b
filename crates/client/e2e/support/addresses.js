// Where the two services are during the browser tests. The client is built with this API address.
export const API_PORT = 18000;
export const CLIENT_PORT = 18080;
export const API = `http://127.0.0.1:${API_PORT}`;
export const CLIENT = `http://127.0.0.1:${CLIENT_PORT}`;

// Seconds that an access token lives here: short, so that a test sees it expire; long enough for a slow machine.
export const ACCESS_LIFETIME = 5;
