/** Buttons that copy a text of the page. They are hidden until this script runs. */

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", () => copyText(button));
}

/** Copy the text of the element that the button names; without access to the clipboard, select it. */
async function copyText(button: HTMLButtonElement): Promise<void> {
  const source = document.getElementById(button.dataset.copies ?? "");
  const status = button.nextElementSibling;
  if (!source || !status) return;
  try {
    await navigator.clipboard.writeText(source instanceof HTMLTextAreaElement ? source.value : (source.textContent ?? ""));
    status.textContent = button.dataset.copied ?? "";
  } catch {
    if (source instanceof HTMLTextAreaElement) source.select();
    else getSelection()?.selectAllChildren(source);
    status.textContent = button.dataset.selected ?? "";
  }
}
