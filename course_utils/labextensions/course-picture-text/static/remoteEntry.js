// JupyterLab draws a stored PNG without the alternative text in its metadata, so a screen reader says nothing.
// The first renderer here does the same drawing and sets the text. Under the still of an interactive picture, whose
// kernel is gone or has not begun, it says how to wake it; the second renderer says so under an interactive text. Printed
// words stay whole, too. This is what a build of a JupyterLab extension would produce (a module-federation container),
// written by hand because there is nothing to build.
window._JUPYTERLAB = window._JUPYTERLAB || {};
(() => {
  let shared; // JupyterLab's own libraries: name -> version -> {get}

  async function library(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  function hint() {
    const line = document.createElement("p");
    line.className = "course-asleep";
    line.textContent = "This is a still. Run this box to make it live.";
    line.style.cssText = "margin:4px;font-size:var(--jp-ui-font-size1);color:var(--jp-ui-font-color1)";
    return line;
  }

  function isStill(model, kind) {
    return String(model.data["text/plain"] || "").endsWith(`: interactive ${kind}`);
  }

  async function mimeExtensions() {
    const { Widget } = await library("@lumino/widgets");
    const { RenderedHTML } = await library("@jupyterlab/rendermime");

    class Picture extends Widget {
      constructor() {
        super();
        this.addClass("jp-RenderedImage");
      }

      async renderModel(model) {
        const about = model.metadata["image/png"] || {};
        const image = document.createElement("img");
        image.src = `data:image/png;base64,${model.data["image/png"]}`;
        image.alt = about.alt || "";
        if (about.width) image.width = about.width;
        if (about.height) image.height = about.height;
        if (about.unconfined) image.classList.add("jp-mod-unconfined");
        if (model.metadata.needs_background) {
          image.classList.add(`jp-needs-${model.metadata.needs_background}-background`);
        }
        this.node.replaceChildren(image);
        if (isStill(model, "picture")) this.node.append(hint());
      }
    }

    class Text extends RenderedHTML {
      async renderModel(model) {
        await super.renderModel(model);
        if (isStill(model, "text")) this.node.append(hint());
      }
    }

    // JupyterLab breaks the lines of printed text and of source code in the middle of words.
    const style = document.createElement("style");
    style.textContent = ".jp-OutputArea .jp-OutputArea-output pre { word-break: normal; overflow-wrap: anywhere; }";
    document.head.append(style);

    const renderer = (id, rank, mimeType, createRenderer) => ({
      id: `course-picture-text:${id}`,
      dataType: "string",
      rank, // before JupyterLab's own renderer of the same kind, which has 90 for pictures and 50 for HTML
      rendererFactory: { safe: true, mimeTypes: [mimeType], createRenderer },
    });
    return [
      renderer("picture", 80, "image/png", () => new Picture()),
      renderer("text", 45, "text/html", (options) => new Text(options)),
    ];
  }

  window._JUPYTERLAB["course-picture-text"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const extensions = await mimeExtensions();
      return () => ({ __esModule: true, default: extensions });
    },
  };
})();
