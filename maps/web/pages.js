// Server-rendered pages work without this; it asks before what cannot be taken back, and follows jobs as they run.

/** @param {HTMLElement} row of a job, with the address of its events */
function follow(row) {
  const bar = row.querySelector("progress");
  const told = row.querySelector("[data-percent]");
  const source = new EventSource(row.dataset.events);
  source.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    bar.value = job.percent;
    told.textContent = `${job.percent}%`;
    if (job.state !== row.dataset.state) {
      source.close();
      location.reload();
    }
  });
}

document.querySelectorAll("[data-events]").forEach(follow);

document.addEventListener("submit", (event) => {
  const { confirmZh, confirmEn } = event.target.dataset;
  const question = document.documentElement.lang === "en" ? confirmEn : confirmZh;
  if (question && !confirm(question)) event.preventDefault();
});
