// Only comfort: every page works without it. It keeps an order's page fresh and greys out a pressed button.
// What makes a double click harmless is on the server: the order's number.
(() => {
  "use strict";
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-once]")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
    event.target.querySelector("button").setAttribute("aria-disabled", "true");
  });
  // The back button shows the page as it was left: it can be sent again, and the order's number keeps it one.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("button").removeAttribute("aria-disabled");
    }
  });

  const place = document.getElementById("state");
  if (!place) return;
  const FIRST = 700, LONGEST = 10000;
  let pause = FIRST, timer = 0, shown = place.innerHTML.trim();

  const show = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    if (fresh.innerHTML.trim() === shown) return false;
    // Not while the buyer is choosing: what they filled in must not be swept away.
    const focus = document.activeElement;
    if (place.contains(focus) && focus.closest("form")) return false;
    const before = place.querySelector("article").dataset.says;
    const open = [...place.querySelectorAll("details[open]")].map((each) => each.id);
    const focused = place.contains(focus) ? focus.closest("details")?.id : "";
    shown = fresh.innerHTML.trim();
    place.replaceChildren(fresh.content);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.querySelector("summary").focus();
    const now = place.querySelector("article").dataset.says;
    if (now !== before) { document.getElementById("said").textContent = now; document.title = now; }
    return true;
  };
  const look = async () => {
    try {
      const answer = await fetch(place.dataset.from, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      pause = show(await answer.text()) ? FIRST : pause * 1.5;
    } catch {
      pause *= 2;
    }
    pause = Math.min(pause, LONGEST);
    later();
  };
  const later = () => {
    clearTimeout(timer);
    // A final order as well: a webhook may still be on its way, and a refund may come.
    if (!document.hidden) timer = setTimeout(look, pause);
  };
  later();
  document.addEventListener("visibilitychange", () => { clearTimeout(timer); if (!document.hidden) { pause = FIRST; look(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) { pause = FIRST; look(); } });
})();
