"use strict";

const place = document.getElementById("reference");
// The fonts of the page are those of the reader: none is fetched. The search would need a worker of its own.
const options = {
  disableSearch: true,
  hideDownloadButton: true,
  nativeScrollbars: true,
  theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
};
Redoc.init(place.dataset.schema, options, place);
