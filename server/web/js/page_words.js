/** The words of pages, panes and dialogs that come when they are opened, as they do. */
import { addWords, language, t } from './words.js';

const PAGES = /** @type {Record<string, () => Promise<{default:Record<string,import('./words.js').Words>}>>} */ ({ en: () => import('./words/en_pages.js'), de: () => import('./words/de_pages.js') });

addWords((await PAGES.en()).default);
if (language !== 'en') addWords((await PAGES[language]().catch(() => ({ default: {} }))).default);

export { t };
