"""Options that several of the verbs have that use trained styles."""

from .options import NUMBER_OR_FILE, PATH, WHOLE, Words, complete_styles, setting, together

STYLE = setting(
    *("-s", "--style"),
    key="style",
    metavar="STYLE",
    shell_complete=complete_styles,
    help="A bundled style, a style file, or a run folder; several: A,B,C.  [default: mosaic]",
)
OUTPUT = setting(
    *("-o", "--output"),
    key="output",
    type=PATH,
    help="A file or a folder.  [default: next to the input, named after the style]",
)
SIZE = setting(
    "--size", key="size", type=WHOLE, help="Longer side of the result in pixels.  [default: as is]"
)
OVERWRITE = setting("--overwrite", key="overwrite", is_flag=True, help="Replace existing results.")
PRECISION = setting(
    "--precision",
    key="precision",
    type=Words(["auto", "float32", "bfloat16", "int8"]),
    help="What the network computes in.",
)
ENGINES = together(
    setting(
        "--engine",
        key="engine",
        type=Words(["auto", "torch", "openvino", "onnxruntime"]),
        help="What runs the network.",
    ),
    PRECISION,
    setting("--device", key="device", metavar="DEVICE", help="auto, cpu, cuda, or mps."),
)
LOOKS = together(
    setting(
        "--strength",
        key="strength",
        type=NUMBER_OR_FILE,
        help="0 is the photo, 1 the full style (1); or a mask.",
    ),
    setting(
        "--color",
        key="color",
        type=Words(["style", "content"]),
        help="content keeps the photo's own colors.",
    ),
    setting(
        "--keep-colors", key="color", flag_value="content", is_flag=True, help="--color content"
    ),
    setting(
        "--stroke-size",
        key="stroke_size",
        type=WHOLE,
        help="Strokes as large as in a picture of this longer side.",
    ),
)
MASKS = together(
    setting(
        "--mask",
        key="mask.path",
        type=PATH,
        help="Stylize where it is white: a picture, a folder, a clip, alpha, or person.",
    ),
    setting(
        "--feather",
        key="mask.feather",
        type=WHOLE,
        help="Pixels over which its borders are softened (2).",
    ),
    setting(
        "--invert-mask", key="mask.invert", is_flag=True, help="Stylize where the mask is black."
    ),
)
REGIONS = setting(
    "--regions",
    key="mask.regions",
    is_flag=True,
    help="Of --style A,B: A where the mask is white, B where it is black.",
)
