//! Typed arrays that JavaScript passes. Their memory stays JavaScript's: it may be that of a book's window, which the
//! call is about to write, or be shared with another thread. So no reference into it outlives a look at one element.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use napi::bindgen_prelude::{Float64Array, FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi::sys::{self, TypedarrayType};
use napi::{Status, ValueType};

/// What a typed array consists of.
pub trait Element: Sized {
    /// Its array in Node-API and in JavaScript.
    const KIND: i32;
    const ARRAY: &'static str;

    /// Reads one, also while another thread writes it: a relaxed load is a plain one on all we run on.
    ///
    /// # Safety
    /// `at` points to an element of an array of this kind that is alive.
    unsafe fn load(at: *const Self) -> Self;
}

macro_rules! element {
    ($($type:ty, $atomic:ty, $kind:ident, $array:literal, $value:expr;)*) => {$(
        impl Element for $type {
            const KIND: i32 = TypedarrayType::$kind;
            const ARRAY: &'static str = $array;

            unsafe fn load(at: *const Self) -> Self {
                // SAFETY: alive by the caller's word, and aligned, as the offset of a typed array is a multiple of its
                // element's size and memory of buffers begins at 8 bytes or more.
                let element = unsafe { <$atomic>::from_ptr(at.cast_mut().cast()) };
                $value(element.load(Ordering::Relaxed))
            }
        }
    )*};
}

element! {
    u8, AtomicU8, uint8_array, "Uint8Array", |value| value;
    u32, AtomicU32, uint32_array, "Uint32Array", |value| value;
    f64, AtomicU64, float64_array, "Float64Array", f64::from_bits;
}

/// A typed array for the time of the call that it was passed to.
#[derive(Debug, Clone, Copy)]
pub struct Passed<'call, T> {
    data: *const T,
    len: usize,
    call: PhantomData<&'call T>,
}

impl<T: Element> Passed<'_, T> {
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> {
        // SAFETY: inside of the array (`at` is below its length), which lives as long as the call: it is on the stack
        // of JavaScript, and no JavaScript runs meanwhile that could detach its memory.
        (0..self.len).map(|at| unsafe { T::load(self.data.add(at)) })
    }

    /// The array, and the buffer that it lies in.
    unsafe fn of(env: sys::napi_env, value: sys::napi_value) -> napi::Result<(Self, sys::napi_value)> {
        let (mut kind, mut len, mut data, mut buffer) = (0, 0, ptr::null_mut(), ptr::null_mut());
        // SAFETY: both are of the call that is under way, and every place to write to is there.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut len,
                &raw mut data,
                &raw mut buffer,
                ptr::null_mut(),
            )
        };
        if status != sys::Status::napi_ok || kind != T::KIND {
            return Err(napi::Error::new(Status::InvalidArg, format!("a {} is expected", T::ARRAY)));
        }
        Ok((Self { data: data.cast_const().cast(), len, call: PhantomData }, buffer))
    }
}

impl<T: Element> FromNapiValue for Passed<'_, T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: as the caller says.
        unsafe { Self::of(env, value) }.map(|(array, _)| array)
    }
}

/// Bytes that were passed: read where they lie, or copied when another thread may write them.
#[derive(Debug)]
pub struct Bytes<'call>(Cow<'call, [u8]>);

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl FromNapiValue for Bytes<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: as the caller says.
        let (array, buffer) = unsafe { Passed::<u8>::of(env, value) }?;
        let mut is_own = false;
        // SAFETY: `buffer` is what the array lies in. A SharedArrayBuffer is no ArrayBuffer.
        let status = unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut is_own) };
        if array.is_empty() {
            return Ok(Self(Cow::Borrowed(&[])));
        }
        if status != sys::Status::napi_ok || !is_own {
            return Ok(Self(array.iter().collect()));
        }
        // SAFETY: all of the array, alive for the call (see `Passed::iter`). Only this thread writes it: JavaScript,
        // which does not run now, and windows, whose owner refuses bytes of its own (`Window::refuse_own`).
        Ok(Self(Cow::Borrowed(unsafe { std::slice::from_raw_parts(array.data, array.len) })))
    }
}

/// Doubles inside of an object: copied at once, as a getter of the object may do anything with their memory, and
/// handed to JavaScript without a copy.
#[derive(Debug, Default)]
pub struct Doubles(pub Vec<f64>);

impl Doubles {
    #[must_use]
    pub fn passed(&self) -> Passed<'_, f64> {
        Passed { data: self.0.as_ptr(), len: self.0.len(), call: PhantomData }
    }
}

impl FromNapiValue for Doubles {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: as the caller says.
        let (array, _) = unsafe { Passed::<f64>::of(env, value) }?;
        Ok(Self(array.iter().collect()))
    }
}

impl ToNapiValue for Doubles {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: as the caller says.
        unsafe { Float64Array::to_napi_value(env, Float64Array::new(value.0)) }
    }
}

impl TypeName for Doubles {
    fn type_name() -> &'static str {
        f64::ARRAY
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Doubles {}
