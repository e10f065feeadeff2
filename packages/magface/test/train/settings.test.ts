/** One table of settings: what the parser takes, the help says, YAML holds and docs/settings.md shows is the same. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runProgram } from '../../src/cli/program.ts';
import { services } from '../../src/cli/services.ts';
import { allFlags, runFlags } from '../../src/cli/train-flags.ts';
import { extraDamages } from '../../src/degrade/extra.ts';
import { allDamages } from '../../src/degrade/node/jpeg.ts';
import { architectureNames } from '../../src/graph/networks/architectures.ts';
import { flagOf } from '../../src/settings/flag-names.ts';
import { type Setting, schemaOf } from '../../src/settings/setting.ts';
import { lossNames } from '../../src/train/model/heads/loss-table.ts';
import { parseTrainConfig, settingsByName, usedSettings } from '../../src/train/settings/config.ts';
import { defaultIn, isFor, type Mode, modes, modesOf } from '../../src/train/settings/modes.ts';
import { wholeProgram } from '../support/reference-docs.ts';
import { temporaryFolder } from './small-set.ts';

/** The command line that makes each mode. */
const wordsOf: Readonly<Record<Mode, readonly string[]>> = {
  nothing: [],
  weights: ['--init', 'official.pth'],
  onnx: ['--init', 'recogniser.onnx'],
  processes: ['--nproc', '2'],
};
const least = ['--train-list', 'faces', '--output', 'run'];

async function magfaceTrain(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  const context = { stdin: new PassThrough(), stdout, stderr, env: {}, cwd: process.cwd(), signal, services };
  const code = await runProgram(['train', ...words], context);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

/** A value that the setting can have: its default where it has one. */
function exampleOf(setting: Setting, mode: Mode): unknown {
  if (setting.value === '<x=n...>') return 'm=0.3';
  const candidates = [defaultIn(setting, mode), 2, 0.5, true, setting.choices?.at(-1), setting.choices, 'some'];
  return candidates.find(
    (value) => value !== undefined && String(value) !== '' && schemaOf(setting).safeParse(value).success,
  );
}

/** Other settings without which a setting does nothing. */
function besides({ onlyWith }: Setting, name: string, mode: Mode): Readonly<Record<string, unknown>> {
  if (name === 'recipe') return { recipe: 'given' };
  if (name === 'lossConstants') return { loss: 'cosface' };
  if (/^degrade(Strength|Kinds)$/.test(name)) return { degrade: 0.3 };
  const isNeeded = onlyWith !== undefined && modesOf(settingsByName[onlyWith[0]]!).includes(mode);
  return isNeeded ? { [onlyWith[0]]: onlyWith[1] ?? 'pairs.list' } : {};
}

const wordsFor = (settings: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => [`--${flagOf(name)}`, ...[value].flat().map(String)]);

const settings = Object.entries(settingsByName).filter(([name]) => !['init', 'trainList', 'output'].includes(name));

describe.each(modes)('%s', (mode) => {
  test.each(settings)('%s is accepted or rejected, by flag and in YAML', async (name, setting) => {
    const value = exampleOf(setting, mode);
    const given = { ...besides(setting, name, mode), [name]: value };
    const file = join(temporaryFolder(), 'run.yaml');
    writeFileSync(file, JSON.stringify(given));
    const several = setting.onlyFor === 'processes' && mode === 'onnx' ? [[], ['--nproc', '2']] : [[]];
    const forms = several.flatMap((more) => [wordsFor(given), ['--config', file]].map((words) => [...more, ...words]));
    for (const words of forms) {
      const { code, out, err } = await magfaceTrain(...least, ...wordsOf[mode], ...words, '--print-config');
      if (isFor(setting, mode, [...wordsOf[mode], ...words].includes('--nproc'))) {
        expect(err).toBe('');
        expect(code).toBe(0);
        const shown = parse(out)[name];
        expect(shown).toEqual(Array.isArray(shown) ? [value].flat() : value);
      } else {
        expect(code).toBe(2);
        expect(err).toMatch(
          new RegExp(`^Expected settings for .* but received .*--${flagOf(name)}\\b.*: leave (it|them) out`),
        );
      }
    }
  });

  test('--print-config prints a settings file of the same run', async () => {
    const words = [...least, ...wordsOf[mode]];
    const { code, out } = await magfaceTrain(...words, '--print-config');
    expect(code).toBe(0);
    const file = join(temporaryFolder(), 'run.yaml');
    writeFileSync(file, out);
    const again = await magfaceTrain(
      ...(mode === 'processes' ? wordsOf[mode] : []),
      '--config',
      file,
      '--print-config',
    );
    expect(again).toEqual({ code: 0, out, err: '' });
    const shown = Object.keys(parse(out));
    for (const name of shown) expect(modesOf(settingsByName[name]!), name).toContain(mode);
  });
});

test.each([
  [
    ['--init', 'm.onnx', '--max-restarts', '1'],
    /received --max-restarts, which applies only to training in several processes: leave it out, or add --nproc\./,
  ],
  [['--max-restarts', '1'], /received --max-restarts, .*: leave it out, or add --nproc\./],
  [['--init', 'm.onnx', '--nproc', '2', '--sample-rate', '0.5'], /received --sample-rate, .* network of --arch/],
  [
    ['--init', 'm.onnx', '--device', 'cuda:7', '--fused', 'false', '--flip', 'true', '--arch', 'iresnet18'],
    /received --fused, --flip and --arch, which apply only to training a network of --arch: leave them out\./,
  ],
  [['--views', '4', '--keep-weight', '1'], /received --views and --keep-weight, .*, or name the model with --init\./],
  [
    ['--init', 'x.pth', '--freeze', 'features'],
    /received --freeze, which applies only to finetuning an ONNX model: .* magface convert x\.pth MODEL\.onnx\./,
  ],
  [['--init', 'x.pth', '--train-last', '1'], /received --train-last/],
  [
    ['--init', 'm.onnx', '--dropout', '0.1', '--collective-timeout', '9'],
    /received --dropout and --collective-timeout, which apply only to other modes: leave them out\./,
  ],
  [['--start-epoch', '5'], /Expected --start-epoch to be 0 but received 5: --resume continues/],
  [['--vis_mag', 'banana'], /Expected --vis_mag to be 1 but received banana/],
  [
    ['--arc', '2'],
    /Expected --arc to be 1 \(angular\) or 0 \(cosine\) but received 2|0 \(cosine\) or 1 \(angular\) but received 2/,
  ],
  [['--fp16', 'yes'], /Expected --fp16 to be 0 \(fp32\) or 1 \(fp16\) but received yes/],
  [['--wd', 'little'], /Expected --weight-decay to be a number but received "little"/],
  [
    ['--wd', '1e-4', '--weight-decay', '1e-3'],
    /--weight-decay and --wd, which are the same setting|--wd and --weight-decay/,
  ],
  [
    ['--schedule', 'cosine', '--lr-drop-epoch', '3'],
    /Expected --schedule drops for --lr-drop-epoch but received --schedule cosine/,
  ],
  [['--power', '3'], /Expected --schedule polynomial for --power but received --schedule drops/],
  [['--loss', 'adaface', '--scale', '30'], /Expected --loss magface for --scale but received --loss adaface/],
  [
    ['--loss', 'adaface', '--easy-margin', 'false'],
    /Expected --loss magface for --easy-margin but received --loss adaface/,
  ],
  [['--loss', 'adaface', '--loss-constants', 'x=1'], /Expected constants of adaface \(s=64 m=0\.4 .*\) but received x/],
  [['--loss-constants', 'm=1'], /Expected a --loss other than magface for --loss-constants but received magface/],
  [['--beta2', '0.9'], /Expected --optimizer adamw for --beta2 but received --optimizer sgd/],
  [['--teacher-weight', '3'], /Expected --teacher for --teacher-weight but it is missing/],
  [
    ['--loss', 'uniface', '--label-smoothing', '0.1'],
    /Expected --label-smoothing with a loss over a softmax but received --loss uniface/,
  ],
  [['--eval-root', 'x'], /Expected --eval-pairs for --eval-root but it is missing/],
  [
    ['--init', 'm.onnx', '--recipe', 'auto', '--l_a', '3'],
    /Expected --recipe given with --lower-magnitude but received auto/,
  ],
  [['--init', 'm.onnx', '--views', '2', '--degrade', '1'], /Expected --views over 2 for --degrade but received 2/],
])('%j is rejected', async (words, message) => {
  const { code, err } = await magfaceTrain(...least, ...words, '--print-config');
  expect(err).toMatch(message);
  expect(code).toBe(2);
});

test('AdamW has its own learning rate and weight decay', async () => {
  const { out } = await magfaceTrain(...least, '--optimizer', 'adamw', '--print-config');
  expect(out).toMatch(/^lr: 0\.001$/m);
  expect(out).toMatch(/^weightDecay: 0\.1$/m);
  const { out: given } = await magfaceTrain(...least, '--optimizer', 'adamw', '--lr', '0.5', '--print-config');
  expect(given).toMatch(/^lr: 0\.5$/m);
});

test('--nproc and --max-restarts are rejected under another launcher', async () => {
  for (const flag of ['--nproc', '--max-restarts']) {
    const stderr = new PassThrough();
    const env = { WORLD_SIZE: '2', RANK: '0' };
    const { signal } = new AbortController();
    const context = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, env, cwd: '.', signal, services };
    expect(await runProgram(['train', ...least, flag, '2'], context)).toBe(2);
    expect(String(stderr.read())).toContain(`Expected either ${flag} or another launcher but received both`);
  }
});

test('the help names each flag once, with its mode and its defaults', async () => {
  const command = (await wholeProgram()).commands.find((one) => one.name() === 'train')!;
  const visible = command.options.filter(({ hidden }) => !hidden);
  for (const [name, setting] of Object.entries(allFlags)) {
    const [option, second] = visible.filter(({ long }) => long === `--${flagOf(name)}`);
    expect(second).toBeUndefined();
    const text = option!.description;
    expect(text, name).toContain(setting.says);
    const applies = modesOf(setting);
    expect(text.includes('ONNX only'), name).toBe(applies.join() === 'onnx');
    expect(text.includes('not ONNX'), name).toBe(applies.length > 1 && !applies.includes('onnx'));
    expect(text.includes('several processes only'), name).toBe(setting.onlyFor === 'processes');
    for (const mode of applies) {
      const value = defaultIn(setting, mode);
      if (typeof value === 'number') expect(text, name).toMatch(new RegExp(`(default|ONNX): ${value}\\b`));
    }
  }
});

test('the page of settings has a row for each flag, in agreement with the parser', () => {
  const page = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8');
  const [ofTraining] = page.split('## Settings of the other commands');
  const rows = ofTraining!.split('\n').filter((line) => line.startsWith('| `--'));
  expect(rows).toHaveLength(Object.keys(allFlags).length);
  for (const [name, setting] of Object.entries(allFlags)) {
    const cells = rows.find((row) => row.startsWith(`| \`--${flagOf(name)}\` |`))!.split(' | ');
    expect(cells[1]).toBe(name in runFlags ? '' : `\`${name}\``);
    for (const [i, mode] of modes.entries()) {
      expect(cells[3 + i] === 'rejected', `${name} ${mode}`).toBe(!modesOf(setting).includes(mode));
    }
  }
});

test('choices listed in the table are the actual ones', () => {
  expect(settingsByName['arch']!.choices).toEqual(architectureNames);
  expect(settingsByName['loss']!.choices).toEqual(['magface', ...lossNames]);
  const names = [...Object.keys(allDamages), ...Object.keys(extraDamages)];
  expect(settingsByName['degradeKinds']!.choices!.toSorted()).toEqual(names.toSorted());
});

test('only settings of the mode are used settings', () => {
  const config = parseTrainConfig({ trainList: 'a', output: 'b', init: 'm.onnx', upperMagnitude: 50 });
  expect(usedSettings(config)).toMatchObject({ recipe: 'given', upperMagnitude: 50, lowerMagnitude: 10, epochs: 3 });
  expect(usedSettings(config)).not.toHaveProperty('arch');
  const lossConstants = ['m=0.3'];
  const ofLoss = usedSettings(parseTrainConfig({ trainList: 'a', output: 'b', loss: 'cosface', lossConstants }));
  expect(ofLoss).toMatchObject({ loss: 'cosface', lossConstants });
  for (const name of ['scale', 'margin', 'easyMargin']) expect(ofLoss).not.toHaveProperty(name);
});

test('rejects how faces are degraded if none are, and an uneven batch', () => {
  const given = { trainList: 'faces', output: 'run' };
  expect(() => parseTrainConfig({ ...given, degradeKinds: ['mask'] })).toThrow(
    /Expected --degrade above 0 for --degrade-kinds/,
  );
  expect(() => parseTrainConfig({ ...given, batchSize: 10, accumulate: 4 })).toThrow(
    /--accumulate divides but received 10 and 4/,
  );
  expect(() => parseTrainConfig({ ...given, accumulate: 2, sampleRate: 0.5 })).toThrow(
    /--sample-rate 1 for --accumulate/,
  );
});
