// Fit a slide: try each layout with each size of type, and keep the best of those that have room.
// A picture counts by the area it gets, type by its size.
const COLUMNS = [[34, 66], [42, 58], [52, 48]];  // text, and beside it what is shown, in per cent
const SIZES = {beside: [40, 38, 36, 34, 32, 30], alone: [52, 48, 44, 40, 38, 36, 34, 32, 30],
               unmarked: [30, 27, 24, 21, 18]};  // pixels of 720
const SMALLEST_PICTURE = 200;  // pixels high

function fits(slide) {
  const inside = (box, frame) => box.left >= frame.left - 1 && box.right <= frame.right + 1 &&
    box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
  const frame = slide.querySelector('.body').getBoundingClientRect();
  return [...slide.querySelectorAll('.body > *')].every(column => {
    const edge = column.getBoundingClientRect();
    return inside(edge, frame) && [...column.querySelectorAll('*')].every(part =>
      (!part.getClientRects().length || inside(part.getBoundingClientRect(), edge)) &&
      (part.tagName !== 'PRE' || part.scrollWidth <= part.clientWidth + 1) &&
      (part.tagName !== 'IMG' || part.clientHeight >= SMALLEST_PICTURE));
  });
}

// The share of a picture's own size at which it is drawn.
const scale = picture => Math.min(picture.clientWidth / picture.naturalWidth,
                                  picture.clientHeight / picture.naturalHeight);

function lay_out(slide, columns, size) {
  const body = slide.querySelector('.body');
  body.style.setProperty('--text', `${columns?.[0]}fr`);
  body.style.setProperty('--shown', `${columns?.[1]}fr`);
  body.classList.toggle('beside', Boolean(columns));
  slide.style.setProperty('--size', `${size}px`);
}

function fit(slide) {
  if (slide.dataset.fitted) return;
  const pictures = [...slide.querySelectorAll('figure img')];
  const both = slide.querySelector('.text') && slide.querySelector('.shown');
  const sizes = SIZES[slide.className.includes('unmarked') ? 'unmarked' : both ? 'beside' : 'alone'];
  slide.querySelector('.body').classList.toggle('below', Boolean(both));
  let best = {score: 0, choice: [null, sizes.at(-1)]};
  for (const columns of both ? [null, ...COLUMNS] : [null])
    for (const size of sizes) {
      lay_out(slide, columns, size);
      if (!fits(slide)) continue;
      const areas = pictures.map(image =>
        scale(image) ** 2 * image.naturalWidth * image.naturalHeight);
      const score = size * (areas.length ? Math.min(...areas) : 1);
      if (score > best.score || score === best.score && columns !== best.choice[0]) best = {score, choice: [columns, size]};
    }
  lay_out(slide, ...best.choice);
  if (!best.score) {  // nothing fits: the author has to cut, and until then the reader scrolls
    slide.style.overflow = 'auto';
    slide.tabIndex = 0;
  }
  // Heights as drawn, so that a caption stands close below its picture.
  const heights = pictures.map(image => scale(image) * image.naturalHeight);
  pictures.forEach((image, place) => { image.style.flex = `0 0 ${heights[place]}px`; });
  slide.dataset.fitted = 'yes';
}

addEventListener('load', () => {
  Reveal.on('ready', event => fit(event.currentSlide));
  Reveal.on('slidechanged', event => fit(event.currentSlide));
  Reveal.initialize({width: 1280, height: 720, margin: 0, center: false, hash: true,
                     display: 'flex', slideNumber: 'c/t', transition: 'none',
                     backgroundTransition: 'none'});
});
