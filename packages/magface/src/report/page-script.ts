/**
 * Scripts of the quality report in a browser. Each function is copied into the page as text, so it must use
 * nothing from outside. Without scripts the page is complete, but static.
 */
/// <reference lib="dom" />
/// <reference lib="dom.asynciterable" />
/// <reference lib="dom.iterable" />
/// <reference lib="dom.asynciterable" />

/** The button that switches between the system's theme and the other. */
export function switchThemes(): void {
  const button = document.querySelector<HTMLButtonElement>('#theme');
  const root = document.documentElement;
  if (!button) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    const next = (root.dataset['theme'] ?? system) === 'dark' ? 'light' : 'dark';
    root.dataset['theme'] = next;
  });
}

/** Sorts the table when a column title is clicked, and hides rows that fail the filters. */
export function tendTable(): void {
  const table = document.querySelector<HTMLTableElement>('#faces-table');
  const body = table?.tBodies[0];
  const filters = document.querySelector<HTMLFormElement>('#filters');
  if (!table || !body || !filters) return;
  filters.hidden = false;
  const rows = [...body.rows];
  const [text, least, flawed] = ['text', 'least', 'flawed'].map((name) =>
    filters.querySelector<HTMLInputElement>(`[name="${name}"]`),
  );
  const said = filters.querySelector('output');

  const filter = (): void => {
    const wanted = text?.value.toLowerCase() ?? '';
    const bound = least?.value ? Number(least.value) : Number.NEGATIVE_INFINITY;
    let shown = 0;
    for (const row of rows) {
      const fits = (row.textContent ?? '').toLowerCase().includes(wanted) && Number(row.dataset['value']) >= bound;
      row.hidden = !fits || (flawed?.checked === true && row.dataset['flawed'] !== '1');
      if (!row.hidden) shown++;
    }
    if (said) said.textContent = `${shown} of ${rows.length}`;
  };
  filters.addEventListener('input', filter);
  filters.addEventListener('submit', (event) => event.preventDefault());

  const key = (row: HTMLTableRowElement, column: number): string => row.cells[column]?.dataset['key'] ?? '';
  for (const button of table.querySelectorAll<HTMLButtonElement>('th button')) {
    button.addEventListener('click', () => {
      const title = button.closest('th');
      if (!title) return;
      const falls = title.getAttribute('aria-sort') === 'ascending';
      for (const other of table.querySelectorAll('th')) other.removeAttribute('aria-sort');
      title.setAttribute('aria-sort', falls ? 'descending' : 'ascending');
      const order = (a: HTMLTableRowElement, b: HTMLTableRowElement): number =>
        key(a, title.cellIndex).localeCompare(key(b, title.cellIndex), 'en', { numeric: true });
      body.append(...rows.sort((a, b) => (falls ? order(b, a) : order(a, b))));
    });
  }
  filter();
}

/** Highlights a face everywhere while the pointer is over one place; a click leads to its row. */
export function linkFaces(): void {
  const light = (event: Event, on: boolean): void => {
    const face = (event.target as Element).closest?.('[data-face]')?.getAttribute('data-face');
    if (!face) return;
    for (const place of document.querySelectorAll(`[data-face="${face}"]`)) place.classList.toggle('lit', on);
  };
  document.addEventListener('pointerover', (event) => light(event, true));
  document.addEventListener('pointerout', (event) => light(event, false));
  document.addEventListener('click', (event) => {
    const face = (event.target as Element).closest?.('.photo [data-face], .strip [data-face]');
    const row = face && document.querySelector(`tr[data-face="${face.getAttribute('data-face')}"]`);
    row?.scrollIntoView({ behavior: 'smooth', block: 'center' });
  });
}

/** The buttons that copy a table's text. */
export function copyTables(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('.copy button')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      const text = button.closest('figure')?.querySelector('pre')?.textContent ?? '';
      void navigator.clipboard.writeText(text).then(() => {
        button.textContent = 'Copied';
      });
    });
  }
}

/** Shows one line of a chart alone while its name in the table beside it is pointed at, or after it is tapped. */
export function lightLines(): void {
  for (const block of document.querySelectorAll('.ranked')) {
    const buttons = [...block.querySelectorAll<HTMLButtonElement>('button.line')];
    const lines = new Map<Element, string>();
    for (const group of block.querySelectorAll('figure svg path[aria-label]')) {
      const name = group.getAttribute('aria-label') ?? '';
      if (buttons.some((button) => button.dataset['line'] === name)) lines.set(group, name);
    }
    let kept: string | undefined;
    const show = (name: string | undefined): void => {
      for (const [group, of] of lines) {
        group.classList.toggle('dimmed', name !== undefined && of !== name);
        group.classList.toggle('lit-line', of === name);
      }
    };
    for (const button of buttons) {
      const name = button.dataset['line'];
      button.addEventListener('pointerenter', () => show(name));
      button.addEventListener('pointerleave', () => show(kept));
      button.addEventListener('focus', () => show(name));
      button.addEventListener('blur', () => show(kept));
      button.addEventListener('click', () => {
        kept = kept === name ? undefined : name;
        for (const other of buttons) other.setAttribute('aria-pressed', String(other.dataset['line'] === kept));
        show(kept ?? name);
      });
    }
  }
}
