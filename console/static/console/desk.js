// Keys of a desk: j and k go to the next and the previous case, r to the reason. Without it, links and Tab do.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = { j: "[data-desk-next]", k: "[data-desk-previous]", r: "#id_reason" }[event.key];
  const found = target && document.querySelector(target);
  if (!found) return;
  event.preventDefault();
  if (found.href) window.location.assign(found.href);
  else found.focus();
});
