/* Makes one element of a view. Python puts the files of a view together. */
function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/* JupyterLab's commands take arrows, Enter and Space, unless the very element that has the focus says no. */
function keepKeys(root) {
  for (const node of root.querySelectorAll("input, button, select, summary, [tabindex]")) node.dataset.lmSuppressShortcuts = "true";
}
