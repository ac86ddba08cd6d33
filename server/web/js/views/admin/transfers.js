/** What comes in from elsewhere and what is taken away, one at a time, followed until it is done. */
import { api } from '../../page_api.js';
import { cleanName } from '../../clean.js';
import { saveFile } from '../../download.js';
import { sizeText } from '../../files.js';
import { t } from '../../page_words.js';
import { number } from '../../server_figures.js';
import { me } from '../../store.js';
import { Check, FormError } from '../field.js';
import { Action } from '../form.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';

/** Asked again this often while something runs. */
const BUSY_MS = 1_000;
/** Rows of one list of a report: a whole organisation's changed names fill no page. */
const MOST_ROWS = 50;

const STEPS = /** @type {Record<string,string>} */ ({ reading: t('step_reading'), people: t('step_people'), messages: t('step_messages') });

export function Transfers() {
  const { value, error, reload, set } = useLoaded(() => api.newestTransfer());
  const transfer = value?.transfer;
  const running = transfer?.status === 'running';
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => { if (!document.hidden) void reload(); }, BUSY_MS);
    return () => clearInterval(timer);
  }, [running]);
  const begun = (/** @type {any} */ news) => set({ transfer: news });
  return html`<${SettingsPage} title=${t('import_and_export')} wide lead=${t('one_import_or_export_at_a_time')}>
    ${value ? transfer && html`<${Newest} key=${transfer.id} transfer=${transfer} />` : html`<${Waiting} error=${error} reload=${reload} />`}
    <${Import} running=${running} begun=${begun} />
    <${Export} running=${running} begun=${begun} />
  </${SettingsPage}>`;
}

/** @param {{transfer:any}} props */
function Newest({ transfer }) {
  const { kind, status, dry_run: isTrial, filename, report } = transfer;
  const [failure, setFailure] = useState('');
  const words = { running: ['info', t('is_running')], done: ['ok', t('is_done')], failed: ['bad', t('has_failed')], interrupted: ['warn', t('was_interrupted')] };
  const [tone, word] = words[/** @type {keyof typeof words} */ (status)];
  const title = kind === 'export' ? t('newest_export') : isTrial ? t('newest_trial') : t('newest_import');
  const take = async () => {
    setFailure('');
    saveFile(`confab-${transfer.started_at.slice(0, 10)}.zip`, await api.downloadExport(transfer.id));
  };
  return html`<${Block} title=${title} state=${html`<span class=${`pill ${tone}`} role="status">${word}</span>`}>
    <p class="lead">${filename && html`<bdi>${cleanName(filename)}</bdi> · `}<${Time} at=${transfer.started_at} /></p>
    ${status === 'running' && html`<${Progress} transfer=${transfer} />`}
    ${status === 'interrupted' && html`<p>${kind === 'export' ? t('the_server_stopped_export_again') : t('the_server_stopped_send_it_again')}</p>`}
    <${FormError} error=${transfer.error ? cleanName(transfer.error) : failure} />
    ${report && (kind === 'export' ? html`<${Figures} of=${[[t('step_people'), report.people], [t('channels'), report.channels], [t('step_messages'), report.messages]]} />` : html`<${Report} report=${report} />`)}
    ${kind === 'export' && status === 'done' && (transfer.started_by_id === me.value?.id
      ? html`<p class="btns"><${Action} class="btn primary" run=${take} failed=${(/** @type {Error} */ error) => setFailure(error.message)}>${t('download_size', { size: sizeText(transfer.size_bytes ?? 0) })}</${Action}></p>`
      : html`<p class="help">${t('only_who_made_it_may_take_it')}</p>`)}
  </${Block}>`;
}

/** @param {{transfer:any}} props */
function Progress({ transfer: { step, done, total } }) {
  const name = STEPS[step] ?? t('it_begins');
  return html`<p class="tnum">${name}${total > 0 && html` · ${number(done)} / ${number(total)}`}</p>
    <progress aria-label=${name} max=${Math.max(1, total)} value=${total > 0 ? done : undefined}></progress>`;
}

/** @param {{of:any[][]}} props name, value and what stands below */
function Figures({ of: figures }) {
  return html`<dl class="figures">${figures.map(([name, value, help]) => html`<div key=${name}><dt>${name}</dt><dd>${number(value)}<small>${help}</small></dd></div>`)}</dl>`;
}

/** What an import did or would do, and all that did not come over as it was. @param {{report:any}} props */
function Report({ report }) {
  const { people, channels, messages, threads, reactions } = report;
  const left = [...Object.entries(report.left_out).map(([why, { count, examples }]) => ({ why, count, examples: examples.join(', ') })),
    ...Object.entries(reactions.unknown).map(([name, count]) => ({ why: t('reaction_unknown_here'), count, examples: `:${name}:` })),
    ...report.notes.map((/** @type {string} */ note) => ({ why: note, count: null, examples: '' }))];
  const inner = (/** @type {string} */ text) => html`<bdi>${cleanName(text)}</bdi>`;
  return html`<${Figures} of=${[[t('step_people'), people.new, t('matched_and_known', { matched: people.matched, known: people.known })], [t('channels'), channels.new, t('were_known', { known: channels.known })],
      [t('step_messages'), messages.imported, t('of_found_and_known', { found: messages.found, known: messages.known })], [t('threads'), threads.new, t('were_known', { known: threads.known })], [t('reactions'), reactions.imported]]} />
    ${left.length > 0 && html`<h3>${t('what_was_left_out')}</h3><${Table} label=${t('what_was_left_out')} rows=${left.slice(0, MOST_ROWS)} id=${(/** @type {any} */ row) => `${row.why} ${row.examples}`} columns=${[
      { name: t('what'), class: 'wrap-any', cell: (/** @type {any} */ row) => inner(row.why) }, { name: t('how_often'), class: 'tnum', cell: (/** @type {any} */ row) => (row.count === null ? '' : number(row.count)) },
      { name: t('for_example'), class: 'wrap-any', cell: (/** @type {any} */ row) => inner(row.examples) }]} />`}
    ${report.renamed.length > 0 && html`<h3>${t('names_that_changed')}</h3><${Table} label=${t('names_that_changed')} rows=${report.renamed.slice(0, MOST_ROWS)} id=${(/** @type {any} */ row) => `${row.kind} ${row.slack_id}`} columns=${[
      { name: t('name'), class: 'wrap-any', cell: (/** @type {any} */ row) => inner(row.from) }, { name: t('name_here'), class: 'wrap-any', cell: (/** @type {any} */ row) => inner(row.to) }, { name: t('why'), class: 'wrap-any', cell: (/** @type {any} */ row) => inner(row.reason) }]} />`}`;
}

/** @param {{running:boolean, begun:(transfer:any)=>void}} props */
function Import({ running, begun }) {
  const [file, setFile] = useState(/** @type {File|null} */ (null));
  const [sent, setSent] = useState(/** @type {number|null} */ (null));
  const [error, setError] = useState('');
  const leaving = useRef(/** @type {AbortController|null} */ (null));
  useEffect(() => () => leaving.current?.abort(), []);
  const send = async (/** @type {boolean} */ isTrial) => {
    if (!file) return setError(t('choose_the_archive_first'));
    setError('');
    setSent(0);
    leaving.current = new AbortController();
    try {
      begun(await api.importArchive(file, isTrial, { signal: leaving.current.signal, progress: setSent }));
    } finally {
      setSent(null);
    }
  };
  const failed = (/** @type {Error} */ failure) => { if (!leaving.current?.signal.aborted) setError(failure.message); };
  return html`<${Block} title=${t('import_from_slack')} lead=${t('the_zip_as_slack_made_it')}>
    <div class="field"><label for="import-file">${t('archive_zip')}</label><input id="import-file" type="file" accept=".zip,application/zip" disabled=${sent !== null} onChange=${(/** @type {any} */ event) => { setFile(event.target.files[0] ?? null); setError(''); }} /></div>
    <${FormError} error=${error} />
    ${sent === null ? !running && html`<p class="btns"><${Action} class="btn primary" run=${() => send(true)} failed=${failed}>${t('look_what_would_come')}</${Action}>
        <${Action} class="btn" run=${() => send(false)} failed=${failed}>${t('import_it')}</${Action}></p>`
      : html`<p class="tnum" role="status">${t('sent_of', { sent: sizeText(sent), size: sizeText(file?.size ?? 0) })}</p>
        <progress aria-label=${t('sending_the_archive')} max=${Math.max(1, file?.size ?? 1)} value=${sent}></progress>
        <p class="btns"><button type="button" class="btn" onClick=${() => leaving.current?.abort()}>${t('cancel')}</button></p>`}
  </${Block}>`;
}

/** @param {{running:boolean, begun:(transfer:any)=>void}} props */
function Export({ running, begun }) {
  const [isPrivate, setPrivate] = useState(false);
  const [error, setError] = useState('');
  const make = async () => {
    setError('');
    begun(await api.exportChannels(isPrivate));
  };
  return html`<${Block} title=${t('export_channels')} lead=${t('an_archive_that_others_read')}>
    <${Check} id="export-private" checked=${isPrivate} onChange=${setPrivate} help=${t('conversations_are_never_exported')}>${t('my_private_channels_too')}</${Check}>
    <${FormError} error=${error} />
    ${!running && html`<p class="btns"><${Action} class="btn primary" run=${make} failed=${(/** @type {Error} */ failure) => setError(failure.message)}>${t('make_an_archive')}</${Action}></p>`}
  </${Block}>`;
}
