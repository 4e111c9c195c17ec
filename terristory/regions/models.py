"""The regions: each is the hub, and the data controller, of its own accounts."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from terristory.database import Base


class Region(Base):
    """A region of France. `key` is its slug (lower case), the name by which paths and tokens know it."""

    __tablename__ = "region"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    nom: Mapped[str] = mapped_column(String(80))
    insee_code: Mapped[str] = mapped_column(String(2), unique=True)
    time_zone: Mapped[str] = mapped_column(String(40))
    is_open: Mapped[bool] = mapped_column(default=False)
    # What the region prints about itself as a data controller; `regions set` fills them.
    contact: Mapped[str] = mapped_column(String(254), default="")
    organisme: Mapped[str] = mapped_column(String(200), default="")
    dpo: Mapped[str] = mapped_column(String(254), default="")
    adresse: Mapped[str] = mapped_column(Text, default="")
    directeur_publication: Mapped[str] = mapped_column(String(200), default="")
    hebergeur: Mapped[str] = mapped_column(Text, default="")
    delai: Mapped[str] = mapped_column(String(200), default="")
