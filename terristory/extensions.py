"""Flask extensions, created unbound; `app.py` binds them."""

from flask import request
from flask_babel import Babel
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_mail import Mail
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData

# Names make constraints addressable in migrations and in `database.violates`.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

db = SQLAlchemy(metadata=MetaData(naming_convention=NAMING), session_options={"expire_on_commit": False})
migrate = Migrate()
jwt = JWTManager()
csrf = CSRFProtect()
mail = Mail()
babel = Babel()
# Each limit names its own key (the client's network); this one only serves limits that name none.
limiter = Limiter(key_func=lambda: request.remote_addr or "")
