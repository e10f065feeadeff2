import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageError } from '../../../src/errors.ts';
import { readAligned, readImage } from '../../../src/infer/node/read-image.ts';
import type { Pixels } from '../../../src/pixels.ts';
import { pngFile } from '../../support/png.ts';
import { samplePhoto } from '../../support/sample-photos.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface images äöü '));
});
afterAll(() => rm(folder, { recursive: true }));

/** Four flat quarters: red, green over blue, grey. */
const quarters = { width: 48, height: 32 } as const;
const colours = { red: [200, 20, 30], green: [20, 180, 40], blue: [30, 40, 210], grey: [128, 128, 128] } as const;
function quartered(): Sharp {
  const { width, height } = quarters;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = y < height / 2 ? [colours.red, colours.green] : [colours.blue, colours.grey];
      data.set(row[x < width / 2 ? 0 : 1]!, 3 * (y * width + x));
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

function pixelAt({ data, width, height }: Pixels, x: number, y: number): number[] {
  const at = 3 * (Math.floor(y * height) * width + Math.floor(x * width));
  return [...data.slice(at, at + 3)];
}
const about = (colour: readonly number[], off = 6) =>
  colour.map((value) => expect.toSatisfy((v: number) => Math.abs(v - value) <= off));

/** A valid PNG header and nearly no data: an image that is huge only once decoded. */
function bomb(width: number, height: number): Buffer {
  const rows = Buffer.alloc((width / 8 + 1) * height);
  return pngFile({ width, height, kind: [1, 0], rows }); // one bit a pixel, grey
}

describe('formats', () => {
  const encoders: Record<string, (image: Sharp) => Sharp> = {
    jpeg: (image) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
    png: (image) => image.png(),
    'png with a palette': (image) => image.png({ palette: true }),
    'png of 16 bit': (image) => image.toColourspace('rgb16').png(),
    webp: (image) => image.webp({ quality: 95 }),
    avif: (image) => image.avif({ quality: 90, chromaSubsampling: '4:4:4' }),
    tiff: (image) => image.tiff({ compression: 'lzw' }),
    gif: (image) => image.gif(),
  };
  test.each(Object.entries(encoders))('reads %s', async (_, encode) => {
    const pixels = await readImage(await encode(quartered()).toBuffer());
    expect(pixels).toMatchObject(quarters);
    expect(pixels.data).toHaveLength(quarters.width * quarters.height * 3);
    expect(pixelAt(pixels, 0.25, 0.25)).toEqual(about(colours.red, 10));
    expect(pixelAt(pixels, 0.75, 0.25)).toEqual(about(colours.green, 10));
    expect(pixelAt(pixels, 0.25, 0.75)).toEqual(about(colours.blue, 10));
    expect(pixelAt(pixels, 0.75, 0.75)).toEqual(about(colours.grey, 10));
  });

  test('converts CMYK to sRGB', async () => {
    const bytes = await quartered().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(bytes).metadata()).channels).toBe(4);
    const pixels = await readImage(bytes);
    expect(pixels).toMatchObject(quarters);
    const [red, green, blue] = pixelAt(pixels, 0.25, 0.25);
    expect(red! - Math.max(green!, blue!)).toBeGreaterThan(100);
    expect(pixelAt(pixels, 0.75, 0.75)).toEqual(about(colours.grey, 18));
  });

  test.each(['jpeg', 'png'] as const)('reads grey %s', async (format) => {
    const pixels = await readImage(await quartered().greyscale().toFormat(format, { quality: 95 }).toBuffer());
    const [red, green, blue] = pixelAt(pixels, 0.25, 0.25);
    expect([green, blue]).toEqual([red, red]);
  });

  test('reads 16-bit grey', async () => {
    const pixels = await readImage(await quartered().greyscale().toColourspace('grey16').png().toBuffer());
    expect(pixelAt(pixels, 0.75, 0.75)).toEqual(about(colours.grey, 2));
  });

  test('makes transparent areas white', async () => {
    const bytes = await quartered().ensureAlpha(0.5).png().toBuffer();
    const expected = colours.red.map((value) => (value + 255) / 2);
    expect(pixelAt(await readImage(bytes), 0.25, 0.25)).toEqual(about(expected, 2));
    const raw = {
      data: Uint8Array.of(...colours.red, 0, ...colours.red, 255),
      width: 2,
      height: 1,
      channels: 4 as const,
    };
    expect([...(await readImage(raw)).data]).toEqual([255, 255, 255, ...colours.red]);
  });

  test('reads the first frame of an animation', async () => {
    const frames = [colours.red, colours.blue].map(([r, g, b]) =>
      sharp({ create: { width: 20, height: 10, channels: 3, background: { r, g, b } } })
        .png()
        .toBuffer(),
    );
    for (const format of ['gif', 'webp'] as const) {
      const bytes = await sharp(await Promise.all(frames), { join: { animated: true } })
        .toFormat(format, { quality: 95 })
        .toBuffer();
      const pixels = await readImage(bytes);
      expect(pixels).toMatchObject({ width: 20, height: 10 });
      expect(pixelAt(pixels, 0.5, 0.5)).toEqual(about(colours.red, 10));
    }
  });

  /** Which quarter is top left once upright, by EXIF orientation. */
  const topLeft = ['red', 'green', 'grey', 'blue', 'red', 'blue', 'grey', 'green'] as const;
  test.each(topLeft.map((colour, i) => [i + 1, colour] as const))(
    'applies EXIF orientation %i',
    async (orientation, colour) => {
      const bytes = await quartered().jpeg({ quality: 95 }).withMetadata({ orientation }).toBuffer();
      const pixels = await readImage(bytes);
      const { width, height } = quarters;
      expect([pixels.width, pixels.height]).toEqual(orientation < 5 ? [width, height] : [height, width]);
      expect(pixelAt(pixels, 0.25, 0.25)).toEqual(about(colours[colour], 10));
    },
  );

  test('accepts raw pixels of one and three channels', async () => {
    expect([...(await readImage({ data: Uint8Array.of(7, 9), width: 2, height: 1 })).data]).toEqual([7, 7, 7, 9, 9, 9]);
    const rgb = { data: new Uint8ClampedArray(6), width: 1, height: 2, channels: 3 as const };
    expect((await readImage(rgb)).data).toBe(rgb.data);
  });
});

describe('sources', () => {
  let server: Server;
  let address: string;
  beforeAll(async () => {
    const png = await quartered().png().toBuffer();
    await writeFile(join(folder, 'ein Bild.png'), png);
    server = createServer((request, response) => {
      if (request.url === '/image.png') response.end(png);
      else if (request.url === '/endless') {
        const send = () => response.write(Buffer.alloc(65536), () => response.destroyed || setImmediate(send));
        send();
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('reads the same image from a path, a file: URL, a file: string and a web address', async () => {
    const path = join(folder, 'ein Bild.png');
    const url = pathToFileURL(path);
    const all = [path, url, url.href, `${address}/image.png`, new URL(`${address}/image.png`)];
    const [first, ...others] = await Promise.all(all.map((input) => readImage(input)));
    expect(first).toMatchObject(quarters);
    for (const other of others) expect(other).toEqual(first);
  });

  test('reports a missing image on a server, and one that never ends as too large', async () => {
    await expect(readImage(`${address}/other.png`)).rejects.toMatchObject({ code: 'image_missing' });
    const endless = readImage(`${address}/endless`, { limits: { bytes: 1e6 } });
    await expect(endless).rejects.toMatchObject({ code: 'image_too_large' });
  });

  test('rejects an unreachable server and an unknown scheme', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await expect(readImage(`http://127.0.0.1:${port}/a.png`)).rejects.toMatchObject({
      code: 'image_unreadable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await expect(readImage(new URL('ftp://host/a.png'))).rejects.toThrow('begins with ftp:');
  });

  test('rejects with the reason of the signal when aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(readImage(join(folder, 'ein Bild.png'), { signal })).rejects.toThrow('enough');
  });
});

describe('an unusable input', () => {
  const failing = async (input: Parameters<typeof readImage>[0], options = {}): Promise<ImageError> => {
    const error = await readImage(input, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImageError);
    return error as ImageError;
  };
  const written = async (name: string, bytes: Uint8Array | string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  };

  test('is a missing file', async () => {
    const path = join(folder, 'nowhere.jpg');
    expect(await failing(path)).toMatchObject({
      code: 'image_missing',
      image: path,
      message: expect.stringContaining('does not exist: check the path'),
    });
  });
  test('is a folder', async () => {
    const path = join(folder, 'folder.jpg');
    await mkdir(path);
    expect(await failing(path)).toMatchObject({
      code: 'image_unreadable',
      message: expect.stringContaining('is a folder'),
    });
  });
  test('is an empty file', async () => {
    expect(await failing(await written('empty.jpg', ''))).toMatchObject({
      code: 'image_unreadable',
      message: expect.stringContaining('is empty'),
    });
  });
  test('is a text, a drawing or a document named .jpg', async () => {
    for (const [text, kind] of [
      ['hello', 'a text file'],
      ['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'an SVG drawing'],
      ['%PDF-1.7', 'a PDF document'],
    ] as const) {
      expect(await failing(await written('text.jpg', text))).toMatchObject({
        code: 'image_unreadable',
        message: expect.stringContaining(kind),
      });
    }
  });
  test.each(['jpeg', 'png', 'webp', 'tiff', 'gif'] as const)('is a truncated %s', async (format) => {
    const noise = sharp({
      create: {
        width: 300,
        height: 200,
        channels: 3,
        background: 'grey',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    });
    const bytes = await noise.toFormat(format).toBuffer();
    expect(await failing(bytes.subarray(0, bytes.length * 0.6))).toMatchObject({ code: 'image_unreadable' });
  });
  test('is a truncated large photo', async () => {
    const bytes = await sharp(samplePhoto(1)).jpeg().toBuffer();
    expect((await failing(bytes.subarray(0, bytes.length / 2))).message).toContain('is truncated or damaged');
  });
  test.each(['jpeg', 'png', 'webp', 'gif'] as const)('is a %s truncated in its header', async (format) => {
    const whole = await sharp(samplePhoto(1)).resize(400).toFormat(format).toBuffer();
    for (const length of [14, 24]) {
      const { message } = await failing(await written('cut.jpg', whole.subarray(0, length)));
      expect(message).toMatch(/is truncated or damaged .*: copy or download it again\.$/);
    }
  });
  test('is a BMP image, rejected by its name and format', async () => {
    const { message } = await failing(await written('old.bmp', Buffer.from('BM\u0046\u0000\u0000\u0000', 'latin1')));
    expect(message).toMatch(/^Expected a JPEG, .* but .*old\.bmp is a BMP image: save it as PNG or JPEG\.$/);
  });
  test('is a symbolic link to itself, or a name that is too long', async () => {
    await symlink('loop.jpg', join(folder, 'loop.jpg'));
    expect((await failing(join(folder, 'loop.jpg'))).message).toContain(
      'loop.jpg is a symbolic link that points to itself: pass the actual file.',
    );
    expect((await failing(join(folder, `${'a'.repeat(300)}.jpg`))).message).toContain(
      '.jpg has a name that is too long for this system: rename it.',
    );
  });
  test('is a PNG bomb of 900 megapixels, recognised by its header', async () => {
    const bytes = bomb(30_000, 30_000);
    expect(bytes.length).toBeLessThan(200_000);
    const before = process.memoryUsage().rss;
    expect(await failing(bytes)).toMatchObject({
      code: 'image_too_large',
      message: expect.stringContaining('900 megapixels (30000x30000)'),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });
  test('has more bytes or pixels than the caller allows', async () => {
    expect(await failing(samplePhoto(1), { limits: { bytes: 1024 } })).toMatchObject({
      code: 'image_too_large',
      image: samplePhoto(1),
    });
    expect(await failing(samplePhoto(1), { limits: { pixels: 1e6 } })).toMatchObject({ code: 'image_too_large' });
    expect(
      await failing({ data: new Uint8Array(300), width: 10, height: 10 }, { limits: { pixels: 99 } }),
    ).toMatchObject({ code: 'image_too_large' });
  });
  test('has fewer raw pixels than promised', async () => {
    expect(await failing({ data: new Uint8Array(10), width: 2, height: 2 })).toMatchObject({
      code: 'image_unreadable',
      message: expect.stringContaining('received 10'),
    });
    const sideways = { data: new Uint8Array(3), width: -1, height: -1 };
    expect(await failing(sideways)).toMatchObject({ code: 'image_unreadable' });
    const floats = { data: new Float32Array(12) as unknown as Uint8Array, width: 2, height: 2 };
    expect(await failing(floats)).toMatchObject({ message: expect.stringContaining('Expected a Uint8Array') });
  });
  test('is an invalid address', async () => {
    for (const input of ['https://[', 'file://elsewhere/a.jpg', new URL('file://elsewhere/a.jpg')]) {
      const message = expect.stringContaining('is not a valid URL');
      expect(await failing(input), `${input}`).toMatchObject({ code: 'image_unreadable', message });
    }
  });
});

describe('readAligned', () => {
  test('accepts 112x112 and nothing else', async () => {
    const face = await sharp({ create: { width: 112, height: 112, channels: 3, background: 'tan' } })
      .jpeg()
      .toBuffer();
    expect(await readAligned(face)).toMatchObject({ width: 112, height: 112 });
    await expect(readAligned(samplePhoto(1))).rejects.toMatchObject({
      code: 'image_wrong_size',
      message: expect.stringContaining('1920x1280'),
    });
  });
});
