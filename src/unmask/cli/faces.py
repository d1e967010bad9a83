"""Find and crop the faces of a catalog's videos."""

from unmask.cli.verb import verb
from unmask.faces.prepare import FacesSettings, prepare_faces

app = verb(prepare_faces, FacesSettings)
