/** The template tag and hooks of all views. Importing it also makes components follow the signals they read. */
import htm from '../../vendor/htm.js';
import { h } from '../../vendor/preact.js';
import '../../vendor/signals.js';

export const html = htm.bind(h);
export { render } from '../../vendor/preact.js';
export { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback } from '../../vendor/preact-hooks.js';
export { useSignal, useComputed } from '../../vendor/signals.js';
