/**
 * Caches the page for offline use and serves it with the headers that isolate it, so that WebAssembly has threads even if the
 * server does not send them. The library caches the models.
 */

/** The build fills in both. */
declare const __PAGE_HEADERS__: Readonly<Record<string, string>>;
declare const __KEPT_FILES__: readonly string[];
const keptFiles = __KEPT_FILES__;

/** The part of ServiceWorkerGlobalScope used here; TypeScript cannot combine its types with the DOM's. */
interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface WaitingEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: WaitingEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
}
const scope = globalThis as unknown as Scope;

/** File names contain digests, so the list identifies the build. */
const cachePrefix = 'magface-page-';
const cacheName = `${cachePrefix}${hash(keptFiles.join())}`;

scope.addEventListener('install', (event) => event.waitUntil(keep().then(() => scope.skipWaiting())));
scope.addEventListener('activate', (event) => event.waitUntil(dropOld().then(() => scope.clients.claim())));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const isOurs = request.url.startsWith(scope.registration.scope) && origin === location.origin;
  const path = pathname.slice(new URL(scope.registration.scope).pathname.length);
  if (request.method !== 'GET' || !isOurs) return;
  if (path === '' || path === 'index.html') event.respondWith(freshPage(request));
  else if (path.startsWith('assets/') || keptFiles.includes(path)) event.respondWith(keptFile(request));
});

async function keep(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll(['./', ...keptFiles]);
}

async function dropOld(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(cachePrefix) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** Serves the newest page while online, and the cached one while offline. */
async function freshPage(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const fresh = await fetch(request, { cache: 'no-cache' }).catch(() => undefined);
  const page = fresh?.ok === true ? fresh : ((await cache.match('./')) ?? fresh);
  return page === undefined ? Response.error() : withHeaders(page);
}

async function keptFile(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(request.url);
  if (kept !== undefined) return withHeaders(kept);
  const fresh = await fetch(request);
  if (fresh.status === 200) await cache.put(request.url, fresh.clone()).catch(() => undefined);
  return withHeaders(fresh);
}

function withHeaders(response: Response): Response {
  if (response.status === 0 || response.redirected) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(__PAGE_HEADERS__)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** FNV-1a hash. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value.toString(16);
}
