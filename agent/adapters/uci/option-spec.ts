/** What the option table says of one option: its kind, and what holds while it is not set. */
import type { OptionKind } from './option-kind.ts';

/** Unset means the default, which is UCI text like any other value. */
export type DefaultedOption<T> = {
  readonly presence: 'default';
  readonly kind: OptionKind<T>;
  readonly text: string;
  readonly doc: string;
};
/** Must be set once agent.enabled is 1; until then `placeholder` stands in. */
export type RequiredOption<T> = {
  readonly presence: 'required';
  readonly kind: OptionKind<T>;
  readonly placeholder: T;
  readonly example: string;
  readonly doc: string;
};
/** Unset means that the thing is not used. */
export type OptionalOption<T> = {
  readonly presence: 'optional';
  readonly kind: OptionKind<T>;
  readonly example: string;
  readonly doc: string;
};
/** `list NAME VALUE`, 1..max times. */
export type ListOption<T> = {
  readonly presence: 'list';
  readonly kind: OptionKind<T>;
  readonly texts: readonly string[];
  readonly max: number;
  /** Where there is no default. */
  readonly example?: string;
  readonly doc: string;
};
export type Option<T> = DefaultedOption<T> | RequiredOption<T> | OptionalOption<T> | ListOption<T>;

export type SectionSpec = {
  /** How often it may come: 1, or up to `max` times, each with an optional name. */
  readonly max: number;
  /** Options that the default file holds as live lines; the others stand there commented out. */
  readonly shown: readonly string[];
  readonly doc: string;
  readonly options: Readonly<Record<string, Option<unknown>>>;
};

export function defaulted<T>(kind: OptionKind<T>, text: string, doc: string): DefaultedOption<T> {
  return { presence: 'default', kind, text, doc };
}

export function required<T>(kind: OptionKind<T>, placeholder: T, example: string, doc: string): RequiredOption<T> {
  return { presence: 'required', kind, placeholder, example, doc };
}

export function optional<T>(kind: OptionKind<T>, example: string, doc: string): OptionalOption<T> {
  return { presence: 'optional', kind, example, doc };
}

export function listed<T>(kind: OptionKind<T>, texts: readonly string[], max: number, doc: string): ListOption<T> {
  return { presence: 'list', kind, texts, max, doc };
}

/** A list that is empty unless something is written. */
export function anyOf<T>(kind: OptionKind<T>, example: string, max: number, doc: string): ListOption<T> {
  return { presence: 'list', kind, texts: [], max, example, doc };
}
