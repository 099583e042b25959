/** Markup that is safe by construction: every value put into it is escaped unless it is markup itself. */
export interface Html {
  readonly text: string;
}

type Value = string | number | null | Html | readonly Html[];

/**
 * Tagged template: `` markup`<p>${fileName}</p>` ``. Null leaves nothing. Not called `html`, because the formatter
 * would then close the elements that a streamed page leaves open.
 */
export function markup(strings: TemplateStringsArray, ...values: Value[]): Html {
  const parts = strings.map((text, i) => text + (i < values.length ? render(values[i]) : ''));
  return { text: parts.join('') };
}

function render(value: Value | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  return 'text' in value ? value.text : value.map((each) => each.text).join('');
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** JSON that may stand inside a script element: nothing in it can end the element or open a comment. */
export function embeddedJson(value: unknown): Html {
  const json = JSON.stringify(value);
  return {
    text: json.replace(/[<>&\u2028\u2029]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    }),
  };
}

/** Text that is ours and known to hold no user input: styles and scripts. */
export function trusted(text: string): Html {
  return { text };
}
