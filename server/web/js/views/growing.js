import { useLayoutEffect } from './html.js';

/** The field is as high as its text, up to the height CSS allows. @param {{current:HTMLTextAreaElement|null}} area @param {string} text */
export function useGrowing(area, text) {
  useLayoutEffect(() => {
    if (!area.current) return;
    area.current.style.height = 'auto';
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [text]);
}
