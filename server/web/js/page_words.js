/** The words of pages, panes and dialogs that come when they are opened, as they do. */
// Pages say these too.
import './channel_words.js';
import english from './words/en_pages.js';
import { addWords, language, t } from './words.js';

const OTHERS = /** @type {Record<string, () => Promise<{default:Record<string,import('./words.js').Words>}>>} */ ({ de: () => import('./words/de_pages.js') });

addWords(english);
// Never failing, unlike a fetch that a page tries again: a module that failed once stays failed.
if (OTHERS[language]) addWords((await OTHERS[language]().catch(() => ({ default: {} }))).default);

export { t };
