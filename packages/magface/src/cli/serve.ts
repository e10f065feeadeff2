/** `magface serve`: runs the HTTP service until stopped. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { FastifyInstance } from 'fastify';
import { ConfigError } from '../errors.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { InferenceQueue } from '../serve/inference-queue.ts';
import { type ServeOptions, serveOptions, serveSettings } from '../serve/options.ts';
import { flagOf } from '../settings/flag-names.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import { expectGalleryRoom, galleryKey, gallerySettings, openGallery } from './gallery.ts';
import {
  alignedSettings,
  configSettings,
  engineSettings,
  finderSettings,
  outputSettings,
  under,
  without,
} from './options.ts';
import { downloadNotes } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const gallery = under('Listening:', { ...gallerySettings, gallery: without(gallerySettings.gallery, 'required') });
const { batch: _, ...engineAlone } = engineSettings;
const { format: __, json: ___, ...messageSettings } = outputSettings;

const settings = {
  ...serveSettings,
  apiKeys: {
    group: 'Listening:',
    takes: 'text',
    value: '<file>',
    says: 'file of API keys that clients need: one per line, at least 16 letters',
  },
  ...gallery,
  urlHost: {
    group: 'Listening:',
    takes: 'texts',
    value: '<host>',
    says: 'allow images to be downloaded from this host by https',
  },
  ...finderSettings,
  ...alignedSettings,
  ...engineAlone,
  ...configSettings,
  logLevel: {
    group: 'Output:',
    takes: 'choice',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    value: '<level>',
    says: 'JSON log lines on stderr',
    otherwise: 'info, with --quiet error',
  },
  ...messageSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
Examples:
  magface serve                                   at http://127.0.0.1:8112
  magface serve --host 0.0.0.0 --api-keys keys    for clients with a key
  curl -F image=@photo.jpg http://127.0.0.1:8112/v1/faces
  curl -F image=@a.jpg -F image=@b.jpg http://127.0.0.1:8112/v1/compare

The API is documented at /docs and, for programs, at /openapi.json. Keys can
also be passed in MAGFACE_API_KEYS, separated by commas. SIGTERM and Ctrl-C stop
the service after it has answered all pending requests.`;

export function defineServe(command: Command, context: Context): void {
  command.description('Run the HTTP service: faces, comparisons, metrics, documentation and the page.');
  addSettings(command, settings).addHelpText('after', examples);
  command.action((flags: Flags) => serve(flags, context));
}

/** Milliseconds between deletions of faces whose time is over. */
const hour = 60 * 60 * 1000;

async function serve(flags: Flags, context: Context): Promise<void> {
  const options = await optionsOf(flags, context);
  if (flags.gallery !== undefined) await expectGalleryRoom(flags.gallery);
  const key = flags.gallery === undefined ? undefined : await galleryKey(flags.galleryKey, context);
  const [{ openQueue }, { createMetrics }, { createServer }, { addPageModels }, { modelFolder }] = await Promise.all([
    import('../serve/inference-queue.ts'),
    import('../serve/metrics.ts'),
    import('../serve/server.ts'),
    import('../serve/page.ts'),
    import('../models/model-folder.ts'),
  ]);
  const models = await pullModels(flags, context);
  const metrics = createMetrics();
  const { queue, batch, timeout, maxBytes, maxPixels } = options;
  const inference = await openQueue({
    model: flags.model,
    detector: flags.aligned === true ? false : flags.detector,
    engine: flags.engine,
    device: flags.device,
    threads: flags.threads,
    workers: flags.workers,
    offline: flags.offline,
    cacheDir: context.env['MAGFACE_CACHE'],
    limits: { bytes: maxBytes, pixels: maxPixels },
    queue,
    batch,
    timeout,
    onBatch: metrics.batch,
  });
  try {
    await using gallery =
      flags.gallery === undefined ? undefined : await openGallery(flags.gallery, inference.models.recogniser, { key });
    const logs = { level: flags.logLevel ?? (flags.quiet === true ? 'error' : 'info'), stream: context.stderr };
    const app = await createServer(options, { inference, metrics, logs, gallery });
    // The page needs a detector; without one it says that it cannot load its models.
    if (flags.aligned !== true) addPageModels(app, modelFolder(models));
    const forgetting =
      gallery &&
      setInterval(() => void gallery.forgetExpired().catch((error: unknown) => app.log.error(error)), hour).unref();
    app.addHook('onClose', async () => clearInterval(forgetting));
    const address = await listen(app, options);
    if (flags.quiet !== true)
      note(context, `Listening on ${address}${options.apiKeys.length > 0 ? '; clients need a key' : ''}.`);
    await stopped(app, inference, context);
  } finally {
    await inference.close();
  }
}

/** @throws {ConfigError} if the address is in use or not on this machine */
async function listen(app: FastifyInstance, { host, port }: ServeOptions): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const { code } = cause as NodeJS.ErrnoException;
    const refuse = (key: string, problem: string, remedy: string): ConfigError =>
      new ConfigError(key, { expected: `to listen on ${host}:${port}`, problem, remedy }, { cause });
    if (code === 'EADDRINUSE')
      throw refuse(
        'port',
        'the port is in use',
        'stop the other program, or choose another --port (0 for any free one)',
      );
    if (code === 'EACCES') throw refuse('port', 'this user may not use it', 'choose a --port from 1024');
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw refuse('host', 'this machine has no such address', 'check --host (0.0.0.0 means all of its addresses)');
    throw cause;
  }
}

/** Resolves once the service is stopped and pending requests are answered; rejects if inference fails. */
async function stopped(app: FastifyInstance, inference: InferenceQueue, { signal }: Context): Promise<void> {
  const told = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    process.once('SIGTERM', () => resolve());
  });
  const failure = await Promise.race([told, inference.ended]);
  await app.close();
  if (failure instanceof Error) throw failure;
}

async function optionsOf(flags: Flags, context: Context): Promise<ServeOptions> {
  const { host, port, timeout, queue, batch, maxImages, maxBytes, maxPixels, maxFaces, urlHost: urlHosts } = flags;
  const apiKeys = await keysOf(flags, context);
  const given = { host, port, timeout, queue, batch, maxImages, maxBytes, maxPixels, maxFaces, urlHosts, apiKeys };
  const parsed = serveOptions.safeParse(given);
  if (parsed.success) return parsed.data;
  const { issueFault } = await import('../settings/schema-issue.ts');
  const issue = parsed.error.issues[0]!;
  const flag = flagOf(String(issue.path[0])).replace('url-hosts', 'url-host');
  // Never show a key.
  const fault =
    flag === 'api-keys' ? { expected: `better --api-keys (${issue.message})` } : issueFault(issue, given, `--${flag}`);
  throw new ConfigError(flag, { ...fault, remedy: '`magface serve --help` lists all options' });
}

async function keysOf({ apiKeys: file }: Flags, { env }: Context): Promise<string[]> {
  const keys = (text: string): string[] => text.split(/[\n,]/).flatMap((line) => line.trim() || []);
  const listed = keys(env['MAGFACE_API_KEYS'] ?? '');
  if (file === undefined) return listed;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(
      'api-keys',
      { expected: `keys in ${file}`, problem: 'it cannot be read', remedy: 'check its path' },
      { cause },
    );
  });
  const own = keys(text);
  // An empty key file must not leave the service open.
  if (own.length === 0)
    throw new ConfigError('api-keys', {
      expected: `one key per line in ${file}`,
      problem: 'it is empty',
      remedy: 'add keys, or leave --api-keys out',
    });
  return [...listed, ...own];
}

/** Downloads models here, with progress; the threads then read them from the cache. */
async function pullModels(flags: Flags, context: Context): Promise<LoadedModel[]> {
  const { defaultModels } = await import('../infer/node/magface.ts');
  const finders = flags.aligned === true ? [] : [flags.detector ?? defaultModels.detector, defaultModels.aligner];
  const models: LoadedModel[] = [];
  for (const name of [flags.model ?? defaultModels.recogniser, ...finders]) {
    const model = await context.services.loadModel(name, {
      offline: flags.offline,
      cacheDir: context.env['MAGFACE_CACHE'],
      signal: context.signal,
      onProgress: downloadNotes({ format: 'table', quiet: flags.quiet === true }, context),
    });
    if (flags.quiet !== true) for (const line of model.assumed) note(context, line);
    models.push(model);
  }
  return models;
}
