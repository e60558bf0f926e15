// The beginning of a text, on the page about it. Set as text: whatever it says, it is never more than that.
const MOST = 256 * 1024;

export async function preview() {
  const box = document.getElementById("text");
  if (box === null)
    return;
  try {
    const answer = await fetch(box.dataset.api, { headers: { Range: `bytes=0-${MOST - 1}` } });
    if (!answer.ok && answer.status !== 416) // 416: an empty file has no first byte
      throw new Error(String(answer.status));
    const bytes = answer.status === 416 ? new ArrayBuffer(0) : await answer.arrayBuffer();
    const whole = Number(answer.headers.get("Content-Range")?.split("/")[1] ?? bytes.byteLength);
    box.textContent = new TextDecoder().decode(bytes, { stream: true }); // stream: a character cut in two is left out
    box.hidden = false;
    document.getElementById("text-cut").hidden = whole <= bytes.byteLength;
  } catch {
    document.getElementById("text-failed").hidden = false;
  }
}
