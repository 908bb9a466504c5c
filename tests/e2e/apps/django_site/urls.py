"""Views of the tests' Django project."""

import datetime
import hashlib

from django.db import models
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.core.exceptions import PermissionDenied
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition, require_POST

MOMENT = datetime.datetime(2024, 7, 1, 12, 0, tzinfo=datetime.timezone.utc)
seen = []


class Note(models.Model):
    title = models.TextField()
    body = models.TextField()

    class Meta:
        app_label = "django_site"
        db_table = "note"
        managed = False


def notes(request):
    return render(request, "notes.html", {"notes": Note.objects.order_by("id"), "moment": MOMENT})


def note(request, number):
    found = Note.objects.filter(pk=number).values("title", "body").first()
    if found is None:
        raise Http404
    return JsonResponse(found)


def count(request):
    seen.append(1)
    return HttpResponse(str(len(seen)))


def lists(values):
    return {name: values.getlist(name) for name in values}


def form(request):
    return JsonResponse({"get": lists(request.GET), "post": lists(request.POST)})


@csrf_exempt
@require_POST
def upload(request):
    return JsonResponse({
        name: [file.name, file.content_type, file.size, hashlib.sha256(file.read()).hexdigest()]
        for name, file in request.FILES.items()
    })


@csrf_exempt
def raw(request):
    return HttpResponse(request.body[::-1], content_type="application/octet-stream")


@csrf_exempt
def lines(request):
    return JsonResponse([line.decode() for line in request], safe=False)


def cookies(request):
    answer = JsonResponse(request.COOKIES)
    answer.set_cookie("plain", "value")
    answer.set_cookie("complex", "a b", max_age=60, httponly=True, samesite="Lax")
    answer.delete_cookie("gone")
    return answer


def login(request, name):
    request.session["name"] = name
    return HttpResponseRedirect(reverse("whoami"))


def whoami(request):
    return JsonResponse({"name": request.session.get("name")})


def stream(request):
    return StreamingHttpResponse((f"block {number}\n" * 100 for number in range(20)),
                                 content_type="text/plain")


def file(request):
    return FileResponse(open(__file__, "rb"), as_attachment=True, filename="urls.py")


def show_path(request, rest):
    return JsonResponse({"rest": rest, "url": request.build_absolute_uri(), "path": request.path_info})


@condition(etag_func=lambda request: '"fixed"')
def tagged(request):
    return HttpResponse("tagged")


def large(request):
    return HttpResponse("all the same " * 1000)


def forbidden(request):
    raise PermissionDenied


def error(request):
    raise RuntimeError("of the view")


urlpatterns = [
    path("", notes),
    path("note/<int:number>", note),
    path("count", count),
    path("form", form, name="form"),
    path("upload", upload),
    path("raw", raw),
    path("lines", lines),
    path("cookies", cookies),
    path("login/<name>", login),
    path("whoami", whoami, name="whoami"),
    path("stream", stream),
    path("file", file),
    path("path/<path:rest>", show_path),
    path("tagged", tagged),
    path("large", large),
    path("forbidden", forbidden),
    path("error", error),
    path("slash/", count),
]
