/** Selects the command and loads only that one. */

import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { isImageName } from '../image-names.ts';
import { type Context, note } from './context.ts';
import { type ExitCode, endingOf } from './errors.ts';
import { readVersion } from './version.ts';

/** Adds flags, help and action to its command; the action's exit code goes to `done`. */
export type DefineCommand = (command: Command, context: Context, done: (exitCode: ExitCode) => void) => void;

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<DefineCommand>;
}

const commands: Readonly<Record<string, Entry>> = {
  quality: {
    summary: 'find, embed and score all faces: a table, a report, the best faces',
    load: async () => (await import('./quality.ts')).defineQuality,
  },
  embed: {
    summary: 'print the features of faces, or write them to a file',
    load: async () => (await import('./embed.ts')).defineEmbed,
  },
  compare: {
    summary: 'decide whether two photos show the same person',
    load: async () => (await import('./compare.ts')).defineCompare,
  },
  align: {
    summary: 'cut out faces, aligned for recognition',
    load: async () => (await import('./align.ts')).defineAlign,
  },
  merge: {
    summary: 'join the shards of a big run, or write its rows as Parquet',
    load: async () => (await import('./merge.ts')).defineMerge,
  },
  calibrate: {
    summary: 'fit a model’s quality scale to reference faces',
    load: async () => (await import('./calibrate.ts')).defineCalibrate,
  },
  'fit-quality': {
    summary: 'give a model a branch whose length predicts how recognisable a face is',
    load: async () => (await import('./fit-quality.ts')).defineFitQuality,
  },
  average: {
    summary: 'average models that were finetuned from one model',
    load: async () => (await import('./average.ts')).defineAverage,
  },
  evaluate: {
    summary: 'measure a model: pairs and sets, error versus reject, IJB, robustness to damage',
    load: async () => (await import('./evaluate/evaluate.ts')).defineEvaluate,
  },
  lab: {
    summary: 'rank quality methods by the errors they prevent, on one page',
    load: async () => (await import('./lab/lab.ts')).defineLab,
  },
  data: {
    summary: 'look after training sets: duplicates, wrong labels, overlaps',
    load: async () => (await import('./data/data.ts')).defineData,
  },
  train: {
    summary: 'train or finetune a model',
    load: async () => (await import('./train.ts')).defineTrain,
  },
  'export-run': {
    summary: 'hand a training run on to MLflow or Weights & Biases',
    load: async () => (await import('./export-run.ts')).defineExportRun,
  },
  plan: {
    summary: 'predict what training with several processes needs: memory, traffic, time',
    load: async () => (await import('./plan.ts')).definePlan,
  },
  convert: {
    summary: 'convert weights, models, training sets and features',
    load: async () => (await import('./convert.ts')).defineConvert,
  },
  enroll: {
    summary: 'add faces to a gallery, of one person or of a folder per person',
    load: async () => (await import('./enroll.ts')).defineEnroll,
  },
  identify: {
    summary: 'find the people in a gallery whom faces resemble',
    load: async () => (await import('./identify.ts')).defineIdentify,
  },
  gallery: {
    summary: 'show, check, correct and copy a gallery',
    load: async () => (await import('./gallery-commands/gallery.ts')).defineGallery,
  },
  people: {
    summary: 'group the faces of a photo library by person',
    load: async () => (await import('./people.ts')).definePeople,
  },
  video: {
    summary: 'find the people in a video and the best shots of each',
    load: async () => (await import('./video.ts')).defineVideo,
  },
  serve: {
    summary: 'run the HTTP service: faces, comparisons, documentation, the page',
    load: async () => (await import('./serve.ts')).defineServe,
  },
  models: {
    summary: 'list, download and show models',
    load: async () => (await import('./models.ts')).defineModels,
  },
  page: {
    summary: 'write the page for browsers and its models as static files',
    load: async () => (await import('./page.ts')).definePage,
  },
  doctor: {
    summary: 'show what is installed, what is missing and how to get it',
    load: async () => (await import('./doctor.ts')).defineDoctor,
  },
};

const examples = `
Examples:
  magface quality photos/                     score every face in a folder
  magface quality photos/ --report out.html   show the scores in a browser
  magface compare a.jpg b.jpg                 same person or not?
  magface people photos/ --report people.html group the faces by person
  magface embed --list lfw.list --aligned --output lfw.npy

magface COMMAND --help shows the options and examples of a command.
Data goes to stdout, progress and notes to stderr.
Exit code: 0 success, 1 some inputs failed, 2 wrong usage or configuration,
3 a process of the run was lost.`;

/** @param words - the arguments after the program's name */
export async function runProgram(given: readonly string[], context: Context): Promise<ExitCode> {
  const words = withDashedImages(given);
  let exitCode: ExitCode = 0;
  const done = (code: ExitCode): void => {
    exitCode = code;
  };
  try {
    await createProgram(words, context, done).then((program) => program.parseAsync(words, { from: 'user' }));
    return context.signal.aborted ? 130 : exitCode;
  } catch (error) {
    const debug = words.includes('--debug');
    const unknown = error instanceof CommanderError && error.code === 'commander.unknownOption';
    const hint = unknown ? dashedHint(words) : undefined;
    if (hint !== undefined) note(context, hint);
    const { message, exitCode } = endingOf(error, { debug, signal: context.signal });
    if (message !== undefined) note(context, message);
    return exitCode;
  }
}

/** The program, with the commands in `words` loaded; documentation is generated from it too. */
export async function createProgram(
  words: readonly string[],
  context: Context,
  done: (code: ExitCode) => void,
): Promise<Command> {
  const { stdout, stderr } = context;
  const width = (): number => Math.min(100, stdout.columns ?? 80);
  const program = new Command('magface')
    .description('Face recognition in which the length of the feature vector is the face’s quality.')
    .usage('COMMAND [options]')
    .version(readVersion(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: width,
      getErrHelpWidth: width,
      outputError: (text, write) => write(text.replace(/^error: (.)/, (_, first: string) => first.toUpperCase())),
    })
    .showHelpAfterError('Run with --help to see all commands and options.')
    .exitOverride()
    .addHelpText('after', examples);
  const asked = new Set(words);
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = program
      .command(name)
      .summary(summary)
      .description(`${capital(summary)}.`);
    if (asked.has(name)) (await load())(command, context, done);
  }
  return program;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * File names that begin with a dash would be parsed as flags.
 *
 * @returns the words, with `./` before existing images: no flag has an image's extension
 */
const withDashedImages = (words: readonly string[]): string[] =>
  words.map((word) => (isImageName(word) && isThere(word) ? `./${word}` : word));

/** @returns how to name an existing file that looks like an unknown flag; undefined if there is none */
function dashedHint(words: readonly string[]): string | undefined {
  const word = words.find((word) => isThere(word));
  return word && `If you mean the file or folder of this name, write ./${word}.`;
}

const isThere = (word: string): boolean => /^-./.test(word) && word !== '--' && existsSync(word);
