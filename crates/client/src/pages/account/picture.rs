//! The picture on `/account`.

use crate::components::{Avatar, Button, FileField, Form, FormErrors, FormState};
use crate::http::FileContent;
use crate::notices::Notices;
use crate::policy::RequestFailure;
use crate::session::{Api, PageSession, SessionOwner};
use auth_types::limits::AVATAR_MAX_BYTES;
use auth_types::responses::{AvatarResponse, UserResponse};
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::File;

/// The name in requests and responses.
const FIELD: &str = "avatar";

/// The media types that the API accepts. `image/jpg` is not a registered type, but some systems use it for JPEG.
const MEDIA_TYPES: &str = "image/png,image/jpeg,image/jpg,image/webp";

/// Shows, replaces and removes the picture.
#[component]
pub fn PictureForm() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let notices = expect_context::<Notices>();
    let page = expect_context::<PageSession>();
    let form = FormState::new(&[FIELD]);
    let input = NodeRef::<Input>::new();
    let upload = move |()| {
        let chosen = input.get_untracked().and_then(|input| input.files()).and_then(|files| files.get(0));
        form.submit(check(chosen), move |file| async move {
            let sent = send(page, &file).await;
            // Also clear a file that has changed: a browser may report no change when the same file is chosen again.
            if matches!(sent, Ok(()) | Err(RequestFailure::Unsendable(_))) {
                forget(input, &file);
            }
            sent?;
            notices.say("Your picture is saved.");
            Ok(())
        });
    };
    let remove = move |()| {
        form.submit(Ok(()), move |()| async move {
            show(page, Api::new(page).remove_picture().await?);
            notices.say("Your picture is removed.");
            Ok(())
        });
    };
    let has_picture = move || session.user().is_some_and(|user| user.avatar_url.is_some());
    view! {
        <Form state=form on_submit=upload>
            <div class="picture">
                <Avatar />
                <FileField
                    label="Picture"
                    name=FIELD
                    accept=MEDIA_TYPES
                    hint="PNG, JPEG or WebP, up to 2 MB. We show its middle as a square."
                    input=input
                    form=form
                />
            </div>
            <div class="buttons">
                <Button label="Upload picture" kind="submit" pending=form.pending() />
                <Show when=has_picture>
                    <Button label="Remove picture" class="button button-quiet" pending=form.pending() on_press=remove />
                </Show>
            </div>
        </Form>
    }
}

async fn send(page: PageSession, file: &File) -> Result<(), RequestFailure> {
    let content = FileContent::read(file, FIELD).await?;
    show(page, Api::new(page).upload_picture(content).await?);
    Ok(())
}

/// Clears the field, unless the user has chosen another file meanwhile.
fn forget(input: NodeRef<Input>, file: &File) {
    let Some(input) = input.try_get_untracked().flatten() else { return };
    if input.files().and_then(|files| files.get(0)).as_ref() == Some(file) {
        input.set_value("");
    }
}

fn show(page: PageSession, picture: AvatarResponse) {
    page.update_user(|user| Some(UserResponse { avatar_url: picture.avatar_url, ..user? }));
}

/// Refuses files that the API would refuse, before they are sent.
fn check(file: Option<File>) -> Result<File, FormErrors> {
    let problem = match &file {
        None => "Choose a picture first.",
        Some(file) if !MEDIA_TYPES.split(',').any(|accepted| file.type_() == accepted) => {
            "Choose a PNG, JPEG or WebP picture."
        }
        Some(file) if file.size() > f64::from(AVATAR_MAX_BYTES) => "This picture is larger than 2 MB.",
        Some(_) => "",
    };
    file.filter(|_| problem.is_empty()).ok_or_else(|| FormErrors::from([(FIELD.into(), problem.to_owned())]))
}
