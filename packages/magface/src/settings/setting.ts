/**
 * Defines a setting. A table of these is the only definition of a command's settings: types, flags, help, YAML file,
 * defaults and documentation are all generated from the table.
 *
 * Tables are written as literals (`as const`), so that the compiler derives {@link ConfigOf} from them.
 */
import { z } from 'zod';

/** Kinds of value and types. */
interface Values {
  readonly text: string;
  /** One or several. */
  readonly texts: readonly string[];
  readonly boolean: boolean;
  /** A whole number from 1. */
  readonly count: number;
  /** A whole number from 0. */
  readonly whole: number;
  readonly wholes: readonly number[];
  readonly positive: number;
  /** A number from 0. */
  readonly amount: number;
  /** 0 to 1. */
  readonly share: number;
  /** 0 to 1, without 1. */
  readonly properShare: number;
  /** 0 to 1, without 0. */
  readonly positiveShare: number;
  readonly device: string;
}

const whole = z.int().nonnegative();

const kinds: { readonly [Name in keyof Values]: z.ZodType<Values[Name]> } = {
  text: z.string(),
  texts: z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)], 'one or several texts'),
  boolean: z.boolean(),
  count: z.int().positive(),
  whole,
  wholes: z.union([whole.transform((one) => [one]), z.array(whole)], 'whole numbers'),
  positive: z.number().positive(),
  amount: z.number().min(0),
  share: z.number().min(0).max(1),
  properShare: z.number().min(0).lt(1),
  positiveShare: z.number().positive().max(1),
  device: z.string().regex(/^(cpu|cuda(:\d+)?)$/, 'cpu, cuda or cuda:N'),
};

/** A setting: one row of the table. */
export interface Setting {
  /** Its heading in the help. */
  readonly group: string;
  /** `choice` takes one of `choices`, `choices` takes several, `choiceOrModule` one of them or the path of a JavaScript module. */
  readonly takes: keyof Values | 'choice' | 'choices' | 'choiceOrModule';
  readonly choices?: readonly string[];
  /** The value in the help: `<n>`. Empty for a flag without one. */
  readonly value: string;
  /** What it does, in one sentence. */
  readonly says: string;
  /** Modes of the command that accept it; all others reject it. @default every mode */
  readonly onlyFor?: string;
  readonly required?: true;
  readonly default?: unknown;
  /** Behaviour if there is neither value nor default. */
  readonly otherwise?: string;
  /** Default for finetuning an ONNX model. */
  readonly onnxDefault?: unknown;
  readonly onnxOtherwise?: string;
  /** The flag's short form: `-b`. */
  readonly short?: string;
  /** The official name of the flag, if it differs. */
  readonly official?: string;
  /** Maps official values to ours, if they differ. */
  readonly officialValues?: Readonly<Record<string, string>>;
  /** Another setting that must be given or have this value. */
  readonly onlyWith?: readonly [name: string, value?: string];
}

type ValueOf<Row> = Row extends { readonly takes: 'choice'; readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Row extends { readonly takes: 'choices'; readonly choices: readonly (infer Choice)[] }
    ? readonly Choice[]
    : Row extends { readonly takes: 'choiceOrModule' }
      ? string
      : Row extends { readonly takes: keyof Values }
        ? Values[Row['takes']]
        : never;

type Always = { readonly default: unknown } | { readonly required: true };

/** The checked values of a table: a setting with a default always has a value. */
export type ConfigOf<Table> = {
  readonly [Name in keyof Table as Table[Name] extends Always ? Name : never]: ValueOf<Table[Name]>;
} & {
  readonly [Name in keyof Table as Table[Name] extends Always ? never : Name]?: ValueOf<Table[Name]> | undefined;
};

/** The schema of a value. */
export function schemaOf({ takes, choices = [], says }: Setting): z.ZodType {
  const choice = z.enum(choices as [string, ...string[]]);
  const ofChoices = {
    choice,
    choices: z.array(choice).min(1),
    choiceOrModule: z.union(
      [choice, z.string().refine(isModuleFile)],
      `one of ${choices.join(', ')}, or the path of a JavaScript module`,
    ),
  };
  return { ...kinds, ...ofChoices }[takes].meta({ description: says });
}

/** Whether a text is the path of a JavaScript or TypeScript module, by its ending. */
export const isModuleFile = (path: string): boolean => /\.[mc]?[jt]s$/.test(path);
