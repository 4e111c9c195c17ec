"""TerriSTORY's account service: request, validation by the region, sign-in."""
