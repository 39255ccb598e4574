"""How the district is shown: layers, styles, folium pages, web pages."""
