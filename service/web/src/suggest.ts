/** Suggestions of resources for each search field with the attribute `data-suggest`. */

import { SuggestionList } from "./page/suggest";

for (const input of document.querySelectorAll<HTMLInputElement>("input[data-suggest]")) new SuggestionList(input);
