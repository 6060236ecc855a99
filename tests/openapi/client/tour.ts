// usage: node tour.js URL PASSWORD CLUSTER_KEY
// A tour of the API with openapi-fetch, in the types that openapi-typescript makes of its document (api.d.ts).
// What the document does not have does not compile. Prints one line when all went well.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const [url, password, key] = process.argv.slice(2) as [string, string, string];
const api = createClient<paths>({ baseUrl: url });
const proxy = createClient<paths>({ baseUrl: url, headers: { "X-Cluster-API-Key": key } });
type Service = components["schemas"]["Service"];

/** The body of an answer that must be good. */
function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(answer.data !== undefined, `${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** The body of an answer that must be an error. */
function refused<E>(answer: { data?: unknown; error?: E; response: Response }, status: number): E {
  assert.equal(answer.response.status, status);
  assert.ok(answer.error !== undefined);
  return answer.error;
}

async function account(): Promise<void> {
  const wrong = refused(await api.POST("/api/v1/auth/login", { body: { username: "admin", password: "wrong" } }), 401);
  assert.equal(wrong.success, false);
  const session = good(await api.POST("/api/v1/auth/login", { body: { username: "admin", password } })).data;
  api.use({ onRequest: ({ request }) => {
    request.headers.set("Authorization", `Bearer ${session.access_token}`);
  } });
  const me = await api.GET("/api/v1/auth/me");
  assert.equal(good(me).data.username, "admin");
  assert.equal(me.response.headers.get("X-Request-ID"), good(me).request_id);
  good(await api.POST("/api/v1/auth/refresh", { body: { refresh_token: session.refresh_token } }));
}

async function users(): Promise<void> {
  const body = { username: "jdoe", email: "jdoe@company.com", password: "StrongPassword123!", is_admin: false, clusters: [1],
    is_active: true };
  const made = good(await api.POST("/api/v1/users", { body })).data;
  assert.equal(made.last_login, null);
  const twice = refused(await api.POST("/api/v1/users", { body }), 409);
  assert.equal(twice.error.code, "RESOURCE_CONFLICT");
  const path = { id: made.id };
  assert.equal(good(await api.PUT("/api/v1/users/{id}", { params: { path }, body: { email: "john@company.com" } })).data.email,
    "john@company.com");
  assert.equal(good(await api.GET("/api/v1/users", { params: { query: { search: "JDOE" } } })).data.total, 1);
  good(await api.DELETE("/api/v1/users/{id}", { params: { path } }));
  refused(await api.GET("/api/v1/users/{id}", { params: { path } }), 404);
}

async function services(): Promise<Service[]> {
  const made: Service[] = [];
  for (let number = 0; number < 5; ++number) {
    const body = { name: `web-${number}`, ip_fqdn: "10.0.1.100", collection: "web", cluster_id: 1, auth_type: "jwt" as const,
      auth_config: { jwt_expiry: 3600 }, endpoints: [], protocol: "auto" as const };
    const header = { "Idempotency-Key": `key-${number}` };
    const first = good(await api.POST("/api/v1/services", { params: { header }, body })).data;
    const again = good(await api.POST("/api/v1/services", { params: { header }, body })).data;
    assert.equal(first.id, again.id);
    assert.ok(first.auth_config.jwt_secret);
    made.push(first);
  }
  const names: string[] = [];
  for (let page = 1; page <= 3; ++page) {
    const query = { page, limit: 2, sort: "-name" as const, collection: "web" };
    const answer = await api.GET("/api/v1/services", { params: { query } });
    assert.match(answer.response.headers.get("Link") ?? "", /rel="last"/);
    names.push(...good(answer).data.services.map((service) => service.name));
  }
  assert.deepEqual(names, ["web-4", "web-3", "web-2", "web-1", "web-0"]);
  const path = { id: made[0]!.id };
  const wrong = refused(await api.PUT("/api/v1/services/{id}", { params: { path }, body: { port: 99999, name: "?" } }), 400);
  assert.ok("violations" in wrong.error);
  assert.deepEqual(wrong.error.violations.map((each) => each.field), ["name", "port"]);
  const whole = await api.GET("/api/v1/services/{id}", { params: { path } });
  const etag = whole.response.headers.get("ETag")!;
  const same = await api.GET("/api/v1/services/{id}", { params: { path, header: { "If-None-Match": etag } } });
  assert.equal(same.response.status, 304);
  const rotated = good(await api.POST("/api/v1/services/{id}/rotate-jwt", { params: { path } })).data;
  assert.notEqual(rotated.new_secret, made[0]!.auth_config.jwt_secret);
  return made;
}

async function mappings(made: Service[]): Promise<void> {
  const mapping = good(await api.POST("/api/v1/mappings", { body: {
    source_services: ["any"], dest_services: [made[0]!.name, "collection:web"], cluster_id: 1, protocols: ["http"],
    ports: [80, "8000-8010"], auth_required: false, comments: "", priority: 100, timeout: 15, enabled: true,
    hosts: ["*.company.com"], path_prefix: "/", strip_prefix: false } })).data;
  assert.deepEqual(mapping.ports, [80, "8000-8010"]);
  assert.equal(mapping.status.state, "idle");
  const path = { id: mapping.id };
  good(await api.DELETE("/api/v1/mappings/{id}", { params: { path } }));
}

async function clusters(): Promise<void> {
  const answer = refused(await api.GET("/api/v1/clusters"), 402);
  assert.equal("default_cluster" in answer.error.details && answer.error.details.default_cluster?.name, "default");
  const cluster = good(await api.GET("/api/v1/clusters/{id}", { params: { path: { id: 1 } } })).data;
  assert.ok(cluster.is_default && cluster.created_by === null);
}

async function proxies(): Promise<void> {
  const body = { hostname: "proxy-egress-01.company.com", version: "v1.0.0", capabilities: ["ebpf" as const],
    proxy_type: "egress" as const, name: "", listen_address: "0.0.0.0" };
  const registered = good(await proxy.POST("/api/v1/proxy/register", { body })).data;
  const metrics = { active_connections: 12, requests_per_second: 150.5, cpu_usage: 12.5, memory_usage: 40 };
  good(await proxy.POST("/api/v1/proxy/heartbeat", {
    body: { proxy_id: registered.proxy_id, status: "degraded", metrics } }));
  assert.equal(good(await proxy.GET("/api/v1/config/{id}", { params: { path: { id: 1 } } })).data.services.length, 5);
  const query = { status: "degraded" as const };
  const listed = good(await api.GET("/api/v1/proxies", { params: { query } })).data;
  assert.equal(listed.proxies[0]?.metrics?.requests_per_second, 150.5);
}

async function ending(): Promise<void> {
  assert.equal(good(await api.GET("/healthz")).checks.database, "healthy");
  good(await api.POST("/api/v1/auth/logout"));
  refused(await api.GET("/api/v1/auth/me"), 401);
}

await account();
await users();
await mappings(await services());
await clusters();
await proxies();
await ending();
console.log("the tour is complete");
