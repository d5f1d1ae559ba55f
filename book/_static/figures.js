/* Draws the book's Plotly figures, with no kernel and no other host.
 *
 * A figure in a page is
 *   <div class="minilambda-figure"><script type="application/json">
 *     {"data": …, "layout": …, "config": …, "frames": …}
 *   </script></div>
 * and, after it, a <details class="minilambda-figure-text"> with the same thing in words, which
 * stays as it is. plotly.min.js (4.8 MB) is loaded only on pages that have such a div. Sliders and
 * play buttons that the figure's layout has work from its `frames`. Colours that aren't data follow
 * the page's light or dark theme.
 *
 * window.minilambdaFigures is a promise, fulfilled when the page's figures are drawn: widgets.js
 * waits for it, because Plotly takes itself for an AMD module once require.js is on the page.
 */
(() => {
  "use strict";
  const vendor = new URL("vendor/", document.currentScript.src);
  const root = document.documentElement;

  function loadScript(url) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = url;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`could not load ${url}`));
      document.head.append(script);
    });
  }

  /* A Plotly template made of the theme's own colours: a figure's explicit choices win over it. */
  function template() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const text = colour("--pst-color-text-base");
    const line = colour("--book-figure-grid");
    const surface = colour("--pst-color-surface");
    const axis = {
      gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line,
      automargin: true, title: { standoff: 8, font: { size: 13 } },
    };
    const control = { bgcolor: surface, bordercolor: line, font: { color: text } };
    return {
      layout: {
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: text, size: 13, family: getComputedStyle(document.body).fontFamily },
        title: { font: { size: 15 }, x: 0, xanchor: "left", xref: "container", pad: { l: 8 } },
        margin: { l: 40, r: 10, t: 50, b: 40 },
        colorway: ["blue", "orange", "green", "red", "purple", "grey"].map((name) =>
          colour(`--book-figure-${name}`)),
        xaxis: axis,
        yaxis: axis,
        legend: { bgcolor: "rgba(0,0,0,0)" },
        hoverlabel: { bgcolor: surface, bordercolor: line, font: { color: text } },
        annotationdefaults: { font: { color: text }, arrowcolor: text },
        updatemenudefaults: control,
        sliderdefaults: { ...control, activebgcolor: line, tickcolor: text },
      },
    };
  }

  /* The figure's layout fitted to the page: as wide as its box, on no background of its own. */
  function fitted(layout) {
    const own = { ...layout, template: template(), autosize: true };
    for (const key of ["width", "paper_bgcolor", "plot_bgcolor"]) delete own[key];
    return own;
  }

  async function draw(box) {
    const source = box.querySelector('script[type="application/json"]');
    const figure = JSON.parse(source.textContent);
    const canvas = document.createElement("div");
    canvas.className = "minilambda-figure-canvas";
    if (figure.layout?.height) canvas.style.minHeight = `${figure.layout.height}px`;
    box.append(canvas);
    const config = { displayModeBar: false, ...figure.config, responsive: true };
    await Plotly.newPlot(canvas, figure.data, fitted(figure.layout), config);
    if (figure.frames?.length) await Plotly.addFrames(canvas, figure.frames);
    return canvas;
  }

  async function drawAll(boxes) {
    await loadScript(new URL("plotly/plotly.min.js", vendor));
    const canvases = [];
    for (const box of boxes) canvases.push(await draw(box));
    new MutationObserver(() => {
      for (const canvas of canvases) Plotly.relayout(canvas, { template: template() });
    }).observe(root, { attributeFilter: ["data-theme"] });
  }

  const boxes = document.querySelectorAll(".minilambda-figure");
  window.minilambdaFigures = boxes.length ? drawAll(boxes) : Promise.resolve();
})();
