"""Checkpoints: conversion, index, download, publication and export."""
