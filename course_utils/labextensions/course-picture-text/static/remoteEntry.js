// JupyterLab draws a stored PNG without the alternative text in its metadata, so a screen reader says nothing.
// This renderer does the same drawing and sets the text; under the still of an interactive picture, whose kernel is gone
// or has not begun, it says how to wake it; printed words stay whole, too. It is what a build of a JupyterLab extension would produce
// (a module-federation container), written by hand because there is nothing to build.
window._JUPYTERLAB = window._JUPYTERLAB || {};
(() => {
  let shared; // JupyterLab's own libraries: name -> version -> {get}

  async function library(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  async function mimeExtension() {
    const { Widget } = await library("@lumino/widgets");

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
        if (String(model.data["text/plain"] || "").endsWith(": interactive picture")) {
          const hint = document.createElement("p");
          hint.className = "course-asleep";
          hint.textContent = "This is a still. Run this box to make it live.";
          hint.style.cssText = "margin:4px;font-size:var(--jp-ui-font-size1);color:var(--jp-ui-font-color1)";
          this.node.append(hint);
        }
      }
    }

    // JupyterLab breaks the lines of printed text and of source code in the middle of words.
    const style = document.createElement("style");
    style.textContent = ".jp-OutputArea .jp-OutputArea-output pre { word-break: normal; overflow-wrap: anywhere; }";
    document.head.append(style);

    return {
      id: "course-picture-text:plugin",
      dataType: "string",
      rank: 80, // before JupyterLab's own renderer of pictures, which has 90, and after those of widgets and HTML
      rendererFactory: { safe: true, mimeTypes: ["image/png"], createRenderer: () => new Picture() },
    };
  }

  window._JUPYTERLAB["course-picture-text"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const extension = await mimeExtension();
      return () => ({ __esModule: true, default: extension });
    },
  };
})();
