// Looks again while the payment is open: soon at first, then more and more rarely. What comes back is the
// same fragment that the page was made with. Without this file the page refreshes itself.
(() => {
  "use strict";
  const place = document.getElementById("state");
  const said = document.getElementById("said");
  const unheard = document.getElementById("unheard");
  if (!place) return;
  const FIRST = 1000, LONGEST = 15000, PATIENCE = 10000;
  let pause = FIRST, timer = 0, shown = place.innerHTML.trim();

  const inViewersZone = () => {
    const look = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    for (const each of place.querySelectorAll("time")) each.textContent = look.format(new Date(each.dateTime));
  };
  const isFinal = () => place.firstElementChild.dataset.final === "yes";

  const show = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    if (fresh.innerHTML.trim() === shown) return false;
    const before = place.firstElementChild.dataset.says;
    const hadFocus = place.contains(document.activeElement);
    shown = fresh.innerHTML.trim();
    place.replaceChildren(fresh.content);
    inViewersZone();
    const now = place.firstElementChild.dataset.says;
    if (now !== before) { said.textContent = now; document.title = now; }
    if (hadFocus) {
      const heading = place.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus();
    }
    return true;
  };

  const look = async () => {
    try {
      const answer = await fetch(place.dataset.from, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(String(answer.status));
      pause = show(await answer.text()) ? FIRST : pause * 1.5;
      unheard.hidden = true;
    } catch {
      pause *= 2;
      unheard.hidden = false;
    }
    pause = Math.min(pause, LONGEST);
    later();
  };
  const later = () => {
    clearTimeout(timer);
    if (!isFinal() && !document.hidden) timer = setTimeout(look, pause);
  };

  inViewersZone();
  later();
  // Back from another tab, or by the back button: what is shown may be old, even when it was final.
  document.addEventListener("visibilitychange", () => { clearTimeout(timer); if (!document.hidden) { pause = FIRST; look(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) look(); });
})();
