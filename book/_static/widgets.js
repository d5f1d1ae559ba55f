/* Shows the notebooks' widgets in the built page, with no kernel and no other host.
 *
 * The state of the widgets is in the page (myst-nb puts it there); html-manager draws it. Loaded
 * only where there is a widget: our widgets' own scripts and styles, which all pages share
 * (book/_ext/lean_pages.py took them out of the state), require.js, then html-manager's
 * embed-amd.js. Its fonts and the anywidget module are found below vendor/, whatever folder the page
 * is in, through require.js's base address.
 *
 * window.minilambdaWidgets is a promise, fulfilled when the widget manager is loaded.
 */
(() => {
  "use strict";
  const vendor = new URL("vendor/", document.currentScript.src).href;
  const parts = new URL("widget-parts/", document.currentScript.src).href;
  // html-manager reads its "CDN" from any script element that has this attribute.
  document.currentScript.setAttribute("data-jupyter-widgets-cdn", vendor);

  function loadScript(name, folder = vendor) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = folder + name;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`could not load ${script.src}`));
      document.head.append(script);
    });
  }

  /* Put scripts and styles back into the state, where html-manager looks for them. */
  async function completeState() {
    const mark = "minilambda-part:";
    for (const script of document.querySelectorAll('script[type="application/vnd.jupyter.widget-state+json"]')) {
      const content = JSON.parse(script.textContent);
      const states = Object.values(content.state).map((model) => model.state);
      const places = states.flatMap((state) => ["_esm", "_css"]
        .filter((name) => String(state[name]).startsWith(mark))
        .map((name) => [state, name, state[name].slice(mark.length)]));
      const digests = new Set(places.map((place) => place[2]));
      await Promise.all(Array.from(digests, (digest) => loadScript(`${digest}.js`, parts)));
      for (const [state, name, digest] of places) state[name] = window.minilambdaParts[digest];
      script.textContent = JSON.stringify(content);
    }
  }

  /* Nothing ties a control to the label beside it: give its name to the part that has the focus. */
  function nameControls(view) {
    if (view.matches(".widget-play")) {
      ["Play or pause", "Stop", "Repeat"].forEach((name, place) => {
        view.querySelectorAll("button")[place]?.setAttribute("aria-label", name);
      });
    }
    const label = view.querySelector(".widget-label")?.textContent.trim();
    if (!label) return;
    for (const part of view.querySelectorAll('[role="slider"], .widget-readout, input, select')) {
      if (!part.hasAttribute("aria-label")) part.setAttribute("aria-label", label);
    }
  }

  /* ipywidgets typesets its labels with MathJax 2's call; pages with formulas have MathJax 3. */
  function bridgeMathJax() {
    if (window.MathJax && !window.MathJax.Hub) {
      window.MathJax.Hub = { Queue: ([, , element]) => window.MathJax.typesetPromise([element]) };
    }
  }

  async function show() {
    await window.minilambdaFigures;
    await window.MathJax?.startup?.promise;
    bridgeMathJax();
    await completeState();
    await loadScript("requirejs/require.js");
    window.requirejs.config({
      baseUrl: vendor,
      // Its bundles look for their fonts beside their own module's address.
      paths: {
        "@jupyter-widgets": `${vendor}html-manager`,
        "@jupyter-widgets/html-manager/dist": `${vendor}html-manager`,
      },
    });
    const naming = new MutationObserver(() => {
      document.querySelectorAll(".widget-inline-hbox").forEach(nameControls);
    });
    naming.observe(document.body, { childList: true, subtree: true });
    await loadScript("html-manager/embed-amd.js");
  }

  const type = "application/vnd.jupyter.widget-view+json";
  const views = document.querySelectorAll(`script[type="${type}"]`);
  window.minilambdaWidgets = views.length ? show() : Promise.resolve();
})();
